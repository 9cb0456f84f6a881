//! Runs each scenario in many schedules and prints the failures.

use std::env;
use std::panic::catch_unwind;
use std::process::exit;
use std::time::{Duration, Instant};

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

/// A rule, and threads that might break it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) run: fn(),
}

/// Number of schedules per scenario in the tests. Half of them are uniformly random, half have few
/// thread switches at important places (PCT).
const SCHEDULES: usize = 600;

/// PCT finds every fault that needs at most this many switches, with a known probability.
const DEPTH: usize = 3;

pub(crate) fn run(scenarios: &[Scenario]) {
    // Like cargo's own harness: words select scenarios, and options are ignored.
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let selected = |scenario: &&Scenario| {
        words.is_empty() || words.iter().any(|word| scenario.name.contains(word.as_str()))
    };
    let schedules = env::var("KEYWRIGHT_SCHEDULES").ok();
    let schedules = schedules.map_or(SCHEDULES, |text| text.parse().expect("a number"));
    // The printed schedule, on several lines or on one.
    let again = env::var("KEYWRIGHT_SCHEDULE").ok();
    let again = again.map(|text| text.split_whitespace().collect::<String>());
    let mut failed = 0;
    for scenario in scenarios.iter().filter(selected) {
        let begun = Instant::now();
        let ran = catch_unwind(|| {
            if let Some(schedule) = &again {
                return explore(ReplayScheduler::new_from_encoded(schedule), scenario.run);
            }
            let half = schedules.div_ceil(2);
            explore(RandomScheduler::new(half), scenario.run)
                + explore(PctScheduler::new(DEPTH, half), scenario.run)
        });
        if let Ok(ran) = ran {
            let millis = begun.elapsed().as_millis();
            println!("test {} ... ok: {ran} schedules in {millis} ms", scenario.name);
        } else {
            failed += 1;
            println!("test {} ... FAILED", scenario.name);
        }
    }
    if failed > 0 {
        println!("{failed} scenarios failed");
        exit(1);
    }
}

/// Explores a scenario and returns the number of schedules.
fn explore(scheduler: impl Scheduler + 'static, run: fn()) -> usize {
    let mut config = Config::default();
    config.max_steps = MaxSteps::FailAfter(100_000);
    config.failure_persistence = FailurePersistence::Print;
    config.silence_warnings = true;
    // Futures without optimization are too large for shuttle's default of 32 KiB.
    config.stack_size = 1 << 20;
    Runner::new(scheduler, config).run(run)
}
