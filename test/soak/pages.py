# SPDX-License-Identifier: BSD-3-Clause
"""pages.py FILE - the pages that a run of ppbench pft took and gave back, from its JSON"""
import json
import re
import sys

with open(sys.argv[1]) as f:
    run = json.load(f)
faults = int(re.search(r'scaled from about (\d+) measured', ' '.join(run['notes'])).group(1))
measured = [row for row in run['rows'] if row['kind'].startswith('elapsed-')]
print(faults * run['repeat'] * len(measured))
