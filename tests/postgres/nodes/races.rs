//! Races of the core between three processes: the guarantees within one process hold across all of
//! them.

use std::collections::HashMap;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use crate::cluster::{Cluster, Line, NODES, alone};
use crate::measure::Round;
use crate::node::Hints;
use crate::proxy::Proxy;
use crate::trouble::kill_all_connections;
use common::database::Server;

const PAUSE: Duration = Duration::from_millis(15);

/// Runs requests on all nodes at once, on this many connections each, and returns all answers.
fn at_once(
    cluster: &Cluster,
    connections: usize,
    ask: impl Fn(usize, &mut Line) -> Vec<String> + Sync,
) -> Vec<String> {
    let lines: Vec<_> = (0..connections).flat_map(|_| cluster.lines()).collect();
    let barrier = Barrier::new(lines.len());
    thread::scope(|scope| {
        let asking: Vec<_> = lines
            .into_iter()
            .enumerate()
            .map(|(number, mut line)| {
                let (barrier, ask) = (&barrier, &ask);
                scope.spawn(move || {
                    barrier.wait();
                    ask(number % NODES, &mut line)
                })
            })
            .collect();
        asking.into_iter().flat_map(|asked| asked.join().expect("it has asked")).collect()
    })
}

#[common::test(postgres)]
fn key_limit_is_exact_across_processes() {
    let _alone = alone();
    let server = Server::shared();
    let cluster = Cluster::start(server, "limits", Hints::On);
    cluster.lines()[0].ask("limit 10");
    for owner in 0..6 {
        let question = format!("generate u{owner}");
        let said = at_once(&cluster, 2, |_, line| (0..4).map(|_| line.ask(&question)).collect());
        let made = said.iter().filter(|said| *said != "too many").count();
        assert_eq!((said.len(), made), (24, 10), "{owner}");
    }
}

#[common::test(postgres)]
fn last_of_three_rotations_wins() {
    let _alone = alone();
    let server = Server::shared();
    let cluster = Cluster::start(server, "rotations", Hints::On);
    let mut lines = cluster.lines();
    for _ in 0..5 {
        let (id, first) = lines[0].generate("alice");
        let said = at_once(&cluster, 1, |_, line| vec![line.ask(&format!("rotate {id}"))]);
        let rotated = said.iter().map(|said| said.split_once(' ').expect("a number and a token"));
        let mut tokens: HashMap<u32, &str> =
            rotated.map(|(number, token)| (number.parse().expect("a number"), token)).collect();
        tokens.insert(1, &first);
        let mut numbers: Vec<_> = tokens.keys().copied().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4], "each rotation created a new secret");
        Round::wait_for_the_bound();
        for line in &mut lines {
            for (number, token) in &tokens {
                let expected = if *number == 4 { "accepted" } else { "unrecognized" };
                assert_eq!(line.ask(&format!("verify {token}")), expected, "secret {number}");
            }
        }
    }
}

#[common::test(postgres)]
fn revoke_wins_across_processes() {
    let _alone = alone();
    let server = Server::shared();
    let cluster = Cluster::start(server, "revokes", Hints::On);
    let mut lines = cluster.lines();
    for round in 0..5 {
        let (id, first) = lines[0].generate("alice");
        let mut tokens = at_once(&cluster, 2, |node, line| {
            let mut tokens = Vec::new();
            for step in 0..6 {
                if node == round % NODES && step == 3 {
                    line.ask(&format!("revoke {id}"));
                }
                for what in ["rotate", "disable", "enable"] {
                    let said = line.try_change(&format!("{what} {id}"));
                    tokens.extend(said.filter(|_| what == "rotate"));
                }
            }
            tokens
        });
        for token in &mut tokens {
            *token = token.split_once(' ').expect("a number and a token").1.to_owned();
        }
        tokens.push(first);
        Round::wait_for_the_bound();
        for line in &mut lines {
            let said: Vec<_> =
                tokens.iter().map(|token| line.ask(&format!("verify {token}"))).collect();
            assert!(said.iter().all(|said| said != "accepted"), "{said:?}");
            let revoked = said.iter().filter(|said| *said == "revoked").count();
            assert_eq!(revoked, 1, "the last secret is revoked, the others are unrecognized");
        }
    }
}

#[common::test(postgres)]
fn t_m16_usage_adds_up_through_failed_flushes() {
    const ROUNDS: usize = 20;
    const USES: usize = 25;
    let _alone = alone();
    let server = Server::shared();
    let cluster = Cluster::start(server, "uses", Hints::On);
    let mut lines = cluster.lines();
    let (id, token) = lines[0].generate("alice");
    let failed = thread::scope(|scope| {
        let using = scope.spawn(|| {
            at_once(&cluster, 1, |_, line| {
                let mut failed = Vec::new();
                for _ in 0..ROUNDS {
                    for _ in 0..USES {
                        // An undecided verify counts no use, so it is repeated.
                        let said = line.ask_until_done(&format!("verify {token}"));
                        assert_eq!(said, "accepted");
                    }
                    failed.extend(line.try_ask("flush").err());
                }
                failed
            })
        });
        while !using.is_finished() {
            // Some flushes fail before the commit, and some commit without an acknowledgement.
            kill_all_connections(server, "uses");
            cluster.proxies.iter().for_each(Proxy::lose_acknowledgement);
            thread::sleep(PAUSE);
        }
        using.join().expect("the key was used")
    });
    assert!(!failed.is_empty(), "no flush met a connection that was killed");
    for line in &mut lines {
        line.ask_until_done("flush");
    }
    assert_eq!(lines[1].ask_until_done(&format!("uses {id}")), (NODES * ROUNDS * USES).to_string());
}
