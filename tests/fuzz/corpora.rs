//! Repeats the corpora: the inputs by which libFuzzer reached all that it reached.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzz::{CONTROL, TARGETS, Target};

fn corpus(target: &Target) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn targets_hold_for_their_corpora() {
    for target in TARGETS {
        let inputs = corpus(target);
        assert!(inputs.len() > 2, "{} has {} inputs", target.name, inputs.len());
        for path in inputs {
            println!("{}", path.display());
            (target.run)(&fs::read(&path).expect("an input"));
        }
    }
}

#[test]
fn control_finds_only_its_fault() {
    (CONTROL.run)(b"kw_Faul");
    (CONTROL.run)(b"kw_fault");
    catch_unwind(|| (CONTROL.run)(b"kw_Fault")).expect_err("the planted fault");
}

/// Git and a reader of a change can handle this much.
#[test]
fn corpora_are_small() {
    let mut all = 0;
    for target in TARGETS {
        let inputs = corpus(target);
        assert!(inputs.len() <= 50, "{} has {} inputs", target.name, inputs.len());
        for path in inputs {
            let length = fs::metadata(&path).expect("an input").len();
            assert!(length <= 4_096, "{} has {length} bytes", path.display());
            all += length;
        }
    }
    assert!(all < 300 << 10, "{all} bytes");
}
