// SPDX-License-Identifier: BSD-3-Clause
//! threads.rs - a thread takes pages from its pool and fills them, another reads and returns them
//!
//!     rustc --edition 2021 threads.rs $(pkg-config --libs libpagepool-ffi)
//!
//! bindgen makes the declarations below from pagepool/ffi.h, all of them. They are written by hand
//! here, so that no crate is needed. A struct may end early: `sz` tells the library where.

use std::ffi::CStr;
use std::os::raw::{c_char, c_int, c_uint, c_void};
use std::sync::mpsc;
use std::{mem, process, ptr, slice, thread};

#[repr(C)]
struct ZoneParams {
    sz: usize,
    name: *const c_char,
    pages: u64,
}

#[repr(C)]
struct PoolParams {
    sz: usize,
    name: *const c_char,
    zone: *mut Zone,
}

#[repr(C)]
#[derive(Default)]
struct Audit {
    sz: usize,
    managed: u64,
    home: u64,
    leaked: u64,
    double_free: u64,
}

#[repr(C)]
struct Zone(c_void);
#[repr(C)]
struct Pool(c_void);
#[repr(C)]
struct Page(c_void);

extern "C" {
    fn pp_error() -> *const c_char;
    fn pp_zone_create(params: *const ZoneParams) -> *mut Zone;
    fn pp_zone_audit(zone: *mut Zone, audit: *mut Audit) -> c_int;
    fn pp_zone_destroy(zone: *mut Zone) -> c_int;
    fn page_pool_create(params: *const PoolParams) -> *mut Pool;
    fn page_pool_destroy(pool: *mut Pool);
    fn page_pool_alloc_bulk(pool: *mut Pool, pages: *mut *mut Page, n: c_uint) -> c_uint;
    fn page_pool_put_bulk(pages: *mut *mut Page, n: c_uint);
    // inline functions in C, symbols of libpagepool-ffi
    fn pp_page_put_tail(page: *mut Page, n: u32) -> *mut u8;
    fn pp_page_pull(page: *mut Page, n: u32) -> *mut u8;
    fn pp_page_data(page: *const Page) -> *const u8;
}

const BURST: usize = 32;
const ROUNDS: u64 = 10_000;
const WORD: u32 = mem::size_of::<u64>() as u32;

/// Pages on their way to the thread that returns them, which any thread may do.
struct Burst([*mut Page; BURST], usize);
unsafe impl Send for Burst {}

fn fail(what: &str) -> ! {
    let why = unsafe { CStr::from_ptr(pp_error()) };
    eprintln!("threads: {}: {}", what, why.to_string_lossy());
    process::exit(1);
}

/// The pool's owner: writes a number behind a header of one word into each page.
fn produce(zone: *mut Zone, out: mpsc::SyncSender<Burst>) -> u64 {
    let params = PoolParams { sz: mem::size_of::<PoolParams>(), name: ptr::null(), zone };
    let pool = unsafe { page_pool_create(&params) };
    if pool.is_null() {
        fail("pool");
    }
    let mut sum = 0;
    for _ in 0..ROUNDS {
        let mut burst = Burst([ptr::null_mut(); BURST], 0);
        burst.1 = unsafe { page_pool_alloc_bulk(pool, burst.0.as_mut_ptr(), BURST as c_uint) } as usize;
        for &page in &burst.0[..burst.1] {
            let packet = unsafe { slice::from_raw_parts_mut(pp_page_put_tail(page, 2 * WORD), 2 * WORD as usize) };
            packet[WORD as usize..].copy_from_slice(&u64::to_ne_bytes(sum));
            sum += 1;
        }
        out.send(burst).expect("the other thread has ended");
    }
    drop(out);
    unsafe { page_pool_destroy(pool) };
    sum
}

/// Any other thread: reads the numbers behind the headers, and sends the pages home.
fn consume(input: mpsc::Receiver<Burst>) -> u64 {
    let mut seen = 0;
    for mut burst in input {
        for &page in &burst.0[..burst.1] {
            let data = unsafe {
                pp_page_pull(page, WORD);
                slice::from_raw_parts(pp_page_data(page), WORD as usize)
            };
            if u64::from_ne_bytes(data.try_into().unwrap()) == seen {
                seen += 1;
            }
        }
        unsafe { page_pool_put_bulk(burst.0.as_mut_ptr(), burst.1 as c_uint) };
    }
    seen
}

fn main() {
    let params = ZoneParams { sz: mem::size_of::<ZoneParams>(), name: ptr::null(), pages: 4096 };
    let zone = unsafe { pp_zone_create(&params) };
    if zone.is_null() {
        fail("zone");
    }
    let address = zone as usize;
    let (out, input) = mpsc::sync_channel(16);
    let reader = thread::spawn(move || consume(input));
    let writer = thread::spawn(move || produce(address as *mut Zone, out));
    let (wrote, read) = (writer.join().unwrap(), reader.join().unwrap());
    let mut audit = Audit { sz: mem::size_of::<Audit>(), ..Audit::default() };
    if unsafe { pp_zone_audit(zone, &mut audit) } != 0 || unsafe { pp_zone_destroy(zone) } != 0 {
        fail("audit");
    }
    println!("{} pages written, {} read, {} of {} home", wrote, read, audit.home, audit.managed);
    if wrote == 0 || wrote != read || audit.home != audit.managed || audit.leaked + audit.double_free != 0 {
        process::exit(1);
    }
}
