//! The parent process, which starts three nodes, each behind its own proxy.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use crate::node::{DATABASE, HINTS, Hints, MARK, OK, REFUSED, UNAVAILABLE};
use crate::proxy::Proxy;
use common::database::Server;

pub(crate) const NODES: usize = 3;
const TEST: &str = "node_ends_with_its_parent";
/// Longest time to wait for a silent node or an unreachable database before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(10);

/// Takes the lock under which the tests run one at a time, so that they do not distort each other's
/// measurements.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a future that needs a Tokio runtime.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

pub(crate) struct Cluster {
    nodes: Vec<Node>,
    pub(crate) proxies: Vec<Proxy>,
}

struct Node {
    process: Child,
    /// Kept open because the node can still print.
    _out: BufReader<ChildStdout>,
    address: SocketAddr,
}

/// A connection to a node, for one request after another.
pub(crate) struct Line(BufReader<TcpStream>);

impl Cluster {
    /// Starts three nodes on a new database, in quick succession, so that they all create its
    /// tables at once.
    pub(crate) fn start(server: &Server, database: &str, hints: Hints) -> Self {
        block_on(server.create(database));
        let proxies: Vec<_> = (0..NODES).map(|_| Proxy::to(server.port())).collect();
        let started: Vec<_> =
            proxies.iter().map(|proxy| start(proxy.port(), database, hints)).collect();
        Self { nodes: started.into_iter().map(Node::of).collect(), proxies }
    }

    /// Opens a connection to each node.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.nodes.iter().map(|node| Line::to(node.address)).collect()
    }

    /// Closes the nodes' inputs and returns their exit statuses.
    pub(crate) fn let_go(mut self) -> Vec<ExitStatus> {
        let ended = |node: &mut Node| {
            drop(node.process.stdin.take());
            node.process.wait().expect("it ends")
        };
        self.nodes.iter_mut().map(ended).collect()
    }
}

fn start(port: u16, database: &str, hints: Hints) -> Child {
    Command::new(env::current_exe().expect("this program"))
        .args([TEST, "--exact", "--nocapture"])
        .env(DATABASE, format!("{port} {database}"))
        .env(HINTS, hints.word())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the node starts")
}

impl Node {
    fn of(mut process: Child) -> Self {
        let mut out = BufReader::new(process.stdout.take().expect("its output"));
        let mut said = out.by_ref().lines().map(|line| line.expect("text"));
        let address = said.find_map(|line| line.strip_prefix(MARK)?.parse().ok());
        let address = address.expect("it listens");
        Self { process, _out: out, address }
    }
}

/// Ends the process on every way out of a test.
impl Drop for Node {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

enum Answer {
    Done(String),
    Unavailable(String),
    Refused(String),
}

impl Line {
    fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the node listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        stream.set_nodelay(true).expect("an option");
        Self(BufReader::new(stream))
    }

    fn put(&mut self, question: &str) -> Answer {
        let what = question.split(' ').next().unwrap_or_default();
        self.0.get_mut().write_all(format!("{question}\n").as_bytes()).expect("it listens");
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap_or_else(|error| panic!("{what}: {error}"));
        match line.trim_end().split_once(' ') {
            Some((OK, said)) => Answer::Done(said.to_owned()),
            Some((UNAVAILABLE, said)) => Answer::Unavailable(said.to_owned()),
            Some((REFUSED, said)) => Answer::Refused(said.to_owned()),
            _ => panic!("{what}: {line:?}"),
        }
    }

    /// Returns the node's answer, or an error if the node cannot reach its database. Panics if the
    /// node refuses.
    pub(crate) fn try_ask(&mut self, question: &str) -> Result<String, String> {
        match self.put(question) {
            Answer::Done(said) => Ok(said),
            Answer::Unavailable(said) => Err(said),
            Answer::Refused(said) => panic!("refused: {said}"),
        }
    }

    /// Returns the node's answer, or nothing if the node refuses, as it may after a concurrent
    /// change.
    pub(crate) fn try_change(&mut self, question: &str) -> Option<String> {
        match self.put(question) {
            Answer::Done(said) => Some(said),
            Answer::Refused(_) => None,
            Answer::Unavailable(said) => panic!("the database is reachable, but: {said}"),
        }
    }

    pub(crate) fn ask(&mut self, question: &str) -> String {
        self.try_ask(question)
            .unwrap_or_else(|said| panic!("the database is reachable, but: {said}"))
    }

    /// Repeats the request until the database is reachable, as a client would.
    pub(crate) fn ask_until_done(&mut self, question: &str) -> String {
        let mut last = String::new();
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            match self.try_ask(question) {
                Ok(said) => return said,
                Err(said) => last = said,
            }
            sleep(PAUSE);
        }
        panic!("the database stays unreachable: {last}")
    }

    /// Generates a key for this owner, who may be of another tenant: `OWNER TENANT`. Returns the id of the
    /// key and its token.
    pub(crate) fn generate(&mut self, owner: &str) -> (String, String) {
        let said = self.ask(&format!("generate {owner}"));
        let (id, token) = said.split_once(' ').expect("a key");
        (id.to_owned(), token.to_owned())
    }
}
