//! A transfer of a million keys while they are used, then pages and searches of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use keywright::store::{PostgresOptions, PostgresStore, SchemaName, Transfer};
use keywright::{Keywright, Verifier};
use kit::{Figure, Lists, Population, Unit, peak_resident_bytes};

use crate::Database;

const TRANSFER: &str = "transfer of 1,000,000 keys, compared and open";
/// The number of tokens that are verified before, during and after a transfer.
const SAMPLED: usize = 1_000;

pub(crate) fn measure(database: &Database<'_>) {
    let run = database.run;
    if !run.wants(TRANSFER) && !Lists::<PostgresStore>::are_wanted(run, "postgres") {
        return;
    }
    let population = Population::of(run.many());
    let store = transferred(database, &population);
    database.execute("VACUUM ANALYZE million.keys");
    database.execute("VACUUM ANALYZE million.usage");
    let keys = population.tokens.len();
    Lists { store: &store, name: "postgres" }.measure(run, &population, keys);
}

fn transferred(database: &Database<'_>, population: &Population) -> PostgresStore {
    let tokens: Vec<String> = population.tokens.iter().take(SAMPLED).map(str::to_owned).collect();
    let verifier = population.world.verifier.clone();
    let accept = |verifier: &Verifier, tokens: &[String]| {
        for token in tokens {
            block_on(verifier.verify(token)).expect("accepted");
        }
    };
    accept(&verifier, &tokens);
    let before = peak_resident_bytes();
    let is_over = Arc::new(AtomicBool::new(false));
    let beside = std::thread::spawn({
        let (tokens, is_over) = (tokens.clone(), Arc::clone(&is_over));
        move || {
            let mut rounds = 0;
            while !is_over.load(Ordering::Relaxed) {
                accept(&verifier, &tokens);
                rounds += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
            rounds
        }
    });
    let options = PostgresOptions::new().schema(SchemaName::new("million").expect("a name"));
    let start = Instant::now();
    let source = population.store.clone();
    let transfer = Transfer::begin(source, options, database.pool.clone());
    let mut transfer = block_on(transfer).expect("a transfer");
    block_on(transfer.copy(|_| {})).expect("it is copied");
    let copied = start.elapsed();
    let store = block_on(transfer.finish(|_| {})).expect("it has moved");
    let finished = start.elapsed().as_secs_f64();
    is_over.store(true, Ordering::Relaxed);
    let rounds = beside.join().expect("every token was accepted");
    let more = peak_resident_bytes().saturating_sub(before) / (1_024 * 1_024);
    database.run.show(&Figure::alone(TRANSFER, Unit::Seconds, &[finished]));
    database.run.note(format!(
        "copied after {copied:.0?}; {more} MiB more than the source; {} tokens verified {rounds} times meanwhile",
        tokens.len()
    ));
    let after = Keywright::builder(store.clone()).build().expect("a setup").verifier();
    accept(&after, &tokens);
    store
}
