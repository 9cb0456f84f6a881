//! Runs one target: under libFuzzer if `scripts/fuzz` builds it, and otherwise on the files that are named.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod under_libfuzzer {
    use std::env;
    use std::sync::OnceLock;

    use fuzz::Target;

    /// The target that the environment names: libFuzzer reads the arguments itself.
    static TARGET: OnceLock<Target> = OnceLock::new();

    fn chosen() -> Target {
        let name = env::var("KEYWRIGHT_FUZZ_TARGET").expect("KEYWRIGHT_FUZZ_TARGET names a target");
        fuzz::target(&name).unwrap_or_else(|| panic!("there is no target {name}"))
    }

    libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.get_or_init(chosen).run)(data));
}

#[cfg(not(fuzzing))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("usage: fuzz TARGET FILE...")?;
    let target = fuzz::target(&name).ok_or_else(|| format!("there is no target {name}"))?;
    for path in arguments {
        (target.run)(&std::fs::read(&path)?);
        println!("{path} holds");
    }
    Ok(())
}
