//! The memory of the process.

use std::fs;

/// Returns the resident memory of the process in bytes; 0 where `/proc` is missing.
pub fn resident_bytes() -> usize {
    bytes_of("VmRSS:")
}

/// Returns the largest resident memory that the process ever had, in bytes; 0 where `/proc` is missing.
pub fn peak_resident_bytes() -> usize {
    bytes_of("VmHWM:")
}

fn bytes_of(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<usize>().ok());
    kibibytes.unwrap_or(0) * 1_024
}
