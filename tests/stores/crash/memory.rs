//! Measures the peak memory use and the largest single allocation.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

/// Returns the peak memory use in bytes, and the size of the largest allocation.
pub(crate) fn most() -> (usize, usize) {
    (MOST.load(Ordering::Relaxed), LARGEST.load(Ordering::Relaxed))
}

/// The system allocator with these counters.
struct Watched;

fn taken(size: usize) {
    let in_use = IN_USE.fetch_add(size, Ordering::Relaxed) + size;
    MOST.fetch_max(in_use, Ordering::Relaxed);
    LARGEST.fetch_max(size, Ordering::Relaxed);
}

fn given_back(size: usize) {
    IN_USE.fetch_sub(size, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "there is no other way to see allocations; all is passed on")]
// SAFETY: every call is passed unchanged to the system allocator.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        given_back(layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        taken(size);
        given_back(layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;
