//! A planted fault, deep enough that only guidance by coverage finds it.

/// Panics for eight bytes among 2^64, which it compares one by one.
pub(crate) fn run(data: &[u8]) {
    const FAULT: &[u8; 8] = b"kw_Fault";
    let mut known = 0;
    for (byte, fault) in data.iter().zip(FAULT) {
        if byte != fault {
            return;
        }
        known += 1;
    }
    assert_ne!(known, FAULT.len(), "the planted fault was found");
}
