//! Lists the tests of the workspace that were not run, with the reasons, after all other tests.

fn main() {
    let lines = common::suite::words_left(env!("CARGO_TARGET_TMPDIR"));
    match lines.len() {
        0 => println!("\nevery test was run\n"),
        count => {
            println!("\n{count} tests were not run. scripts/setup installs what they need.\n");
            println!("{}\n", lines.join("\n"));
        }
    }
}
