//! Three nodes on one PostgreSQL. It revokes keys on one node, and measures how long the others
//! still accept them.
//!
//! ```text
//! docker run --rm -p 5432:5432 -e POSTGRES_PASSWORD=keys postgres
//! cargo run --release -p keywright-cluster -- \
//!     postgres://postgres:keys@127.0.0.1/postgres [--rounds N]
//! ```
//!
//! Each node is a process: a web server with a cache in front of the database. The nodes keep their
//! tables in the schema `keywright_cluster`, which can be dropped afterwards.

mod client;
mod node;
mod store;

use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use keywright::{Actor, NewKey, Token, UserId};

use self::client::Client;

const NODES: usize = 3;
const PAUSE: Duration = Duration::from_millis(1);

type Failure = Box<dyn Error + Send + Sync>;

/// Revoke keys on one of three nodes, and measure how long the others accept them
#[derive(Parser)]
struct Arguments {
    /// URL of the database
    #[arg(required_unless_present = "node")]
    url: Option<String>,
    /// Number of keys to revoke
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Run as a node: read the URL from standard input, and serve until standard input ends
    #[arg(long, hide = true)]
    node: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ended = match arguments.url {
        Some(url) if !arguments.node => run(url, arguments.rounds).await,
        _ => node::run().await,
    };
    let Err(error) = ended else { return ExitCode::SUCCESS };
    eprint!("cluster: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprint!(": {error}");
        cause = error.source();
    }
    eprintln!();
    ExitCode::FAILURE
}

async fn run(url: String, rounds: u32) -> Result<(), Failure> {
    // This process generates the keys. It uses the database without a cache.
    let desk = store::keywright(store::open(&url).await?)?.authority();
    let alice = Actor::developer(UserId::new("alice")?);
    let nodes = (0..NODES).map(|_| Node::start(&url)).collect::<Result<Vec<_>, _>>()?;
    for (number, node) in nodes.iter().enumerate() {
        println!("node {} listens on http://{}", number + 1, node.address);
    }
    let mut delays = Vec::new();
    for round in 0..rounds as usize {
        let new = NewKey::named("for-a-moment")?;
        let token = desk.generate(&alice, new).await?.token;
        let revoking = round % NODES;
        let took = tokio::task::block_in_place(|| revoke(&nodes, revoking, &token))?;
        println!("round {}: revoked on node {}{}", round + 1, revoking + 1, described(&took));
        delays.extend(took.into_iter().map(|(_, delay)| delay));
    }
    delays.sort();
    let at = |percent: usize| millis(delays[((delays.len() - 1) * percent).div_ceil(100)]);
    println!("\n| answers | p50 | p99 | max |\n|---|---|---|---|");
    println!("| {} | {} | {} | {} |", delays.len(), at(50), at(99), at(100));
    Ok(())
}

/// Revokes a key on one node after all nodes have accepted it. Returns, for each other node, how
/// long it accepted the key after the revocation was acknowledged.
fn revoke(
    nodes: &[Node],
    revoking: usize,
    token: &Token,
) -> Result<Vec<(usize, Duration)>, Failure> {
    let mut clients =
        nodes.iter().map(|node| Client::open(node.address)).collect::<Result<Vec<_>, _>>()?;
    for client in &mut clients {
        expect(client.hello(token)?, 200)?;
    }
    expect(clients[revoking].leaked(token)?, 204)?;
    let revoked = Instant::now();
    expect(clients[revoking].hello(token)?, 401)?;
    thread::scope(|scope| {
        let others = clients.iter_mut().enumerate().filter(|(number, _)| *number != revoking);
        let asking: Vec<_> = others
            .map(|(number, client)| {
                scope.spawn(move || {
                    loop {
                        match client.hello(token)? {
                            401 => return Ok((number, revoked.elapsed())),
                            status => expect(status, 200)?,
                        }
                        thread::sleep(PAUSE);
                    }
                })
            })
            .collect();
        asking.into_iter().map(|asked| asked.join().map_err(|_| "a thread panicked")?).collect()
    })
}

fn expect(status: u16, expected: u16) -> Result<(), Failure> {
    if status == expected {
        return Ok(());
    }
    Err(format!("expected status {expected} from a node, got {status}").into())
}

fn described(took: &[(usize, Duration)]) -> String {
    let of = |(number, delay): &(usize, Duration)| {
        format!(", 401 on node {} after {}", number + 1, millis(*delay))
    };
    took.iter().map(of).collect()
}

fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1_000.0)
}

/// A node process, which is killed with this value.
struct Node {
    process: Child,
    address: SocketAddr,
}

impl Node {
    fn start(url: &str) -> Result<Self, Failure> {
        let mut process = Command::new(env::current_exe()?)
            .arg("--node")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        // Not an argument, because every user of the machine can read arguments.
        let input = process.stdin.as_mut().ok_or("the node has no input")?;
        writeln!(input, "{url}")?;
        let mut said = String::new();
        let output = process.stdout.take().ok_or("the node has no output")?;
        BufReader::new(output).read_line(&mut said)?;
        let address = said.trim_end().parse().map_err(|_| "a node did not start")?;
        Ok(Self { process, address })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // The node may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
