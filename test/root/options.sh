#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# options.sh - every option of an af_xdp port, alone and together
. "$(dirname "$0")/lib.sh"

topology
for options in mode=auto mode=native mode=skb zerocopy=auto zerocopy=off wakeup=on wakeup=off \
	sg=off sg=on sg=on,mode=skb tx_csum=off tx_csum=on tx_csum=sw tx_tstamp=off tx_tstamp=on rx_meta=tstamp+hash+vlan vlan=keep vlan=insert \
	sg=on,rx_meta=tstamp,vlan=insert sg=on,tx_csum=sw,tx_tstamp=on \
	busy_poll=20,busy_budget=16 suspend=50000 busy_poll=50,suspend=1000 fill=64 fill=8192 queue=0 queues=1 \
	mode=skb,zerocopy=off,wakeup=off,busy_poll=50,fill=1024,queue=0,queues=1; do
	fwd_start --port "af_xdp:west,$options" --port "af_xdp:east,$options"
	fwd_ping
	fwd_stop
	say "$options"
done
for size in 2048 4096; do
	fwd_start --port af_xdp:west --port af_xdp:east --page-size "$size"
	fwd_ping
	transfer 16
	fwd_stop
	say "pages of $size bytes"
done
