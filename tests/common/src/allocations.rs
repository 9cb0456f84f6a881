//! An allocator that counts for each thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Sizes are counted in steps of this many bytes.
const STEP: usize = 16;
/// The number of steps; the last one holds all larger sizes.
const STEPS: usize = 128;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// Bytes that this thread has allocated and not freed, by the size of the allocation.
    static HELD: [Cell<isize>; STEPS] = const { [const { Cell::new(0) }; STEPS] };
}

/// The system allocator with counters for each thread.
#[derive(Debug)]
pub struct Counting;

fn hold(size: usize, bytes: isize) {
    // Thread locals are gone while a thread ends; such an allocation is not counted.
    let _ = HELD.try_with(|held| {
        let held = &held[(size.div_ceil(STEP)).min(STEPS - 1)];
        held.set(held.get() + bytes);
    });
}

fn count(size: usize) {
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
    hold(size, size.cast_signed());
}

#[expect(unsafe_code, reason = "there is no other way to see allocations; all is passed on")]
// SAFETY: every call is passed unchanged to the system allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(layout.size(), -layout.size().cast_signed());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        hold(layout.size(), -layout.size().cast_signed());
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Returns the number of allocations of this thread during the work.
pub fn allocations_of(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// Returns the bytes that this thread has allocated and not freed.
pub fn held_bytes() -> isize {
    HELD.with(|held| held.iter().map(Cell::get).sum())
}

/// Returns the bytes that this thread holds in allocations of each size: the largest size in bytes,
/// and the bytes. The size is `None` for all larger ones together.
pub fn held_by_size() -> Vec<(Option<usize>, isize)> {
    HELD.with(|held| {
        let sizes = held.iter().enumerate();
        sizes.map(|(step, held)| ((step < STEPS - 1).then_some(step * STEP), held.get())).collect()
    })
}
