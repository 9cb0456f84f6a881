//! A PostgreSQL server for the tests.
//!
//! It runs in a temporary folder, on a free port, and without root privileges. It stops when the test
//! process ends, even if the process is killed.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use crate::needs::Need;

/// The users that can run the server if the tests run as root, because PostgreSQL refuses to run as root.
const USERS: [&str; 2] = ["postgres", "nobody"];

/// A running server.
pub struct Server {
    programs: &'static Path,
    folder: PathBuf,
    user: Option<(u32, u32)>,
    port: u16,
    /// The shell that stops the server and removes the folder when its input ends, together with this
    /// process.
    _keeper: Child,
}

impl Server {
    /// Returns the server that the tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        // Its data need not survive a crash.
        SHARED.get_or_init(|| Self::start(&["fsync = off", "max_connections = 300"]))
    }

    /// Starts a new server with these lines in its configuration.
    pub fn start(configuration: &[&str]) -> Self {
        let server = Self::in_new_folder();
        server.run(
            "initdb",
            &["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
        );
        server.configure(configuration);
        server.up();
        server
    }

    /// Starts a standby that follows this server.
    pub fn standby(&self, configuration: &[&str]) -> Self {
        let server = Self::in_new_folder();
        let source =
            format!("host=127.0.0.1 port={} user=postgres application_name=standby", self.port);
        let folder = server.data();
        fs::remove_dir(&folder).expect("the folder is empty");
        let folder = folder.to_str().expect("a path");
        server.program(
            "pg_basebackup",
            &["-d", &source, "-D", folder, "-R", "-X", "stream", "-c", "fast"],
        );
        server.configure(configuration);
        server.up();
        server
    }

    fn in_new_folder() -> Self {
        let programs = Need::Postgres.path();
        let folder =
            tempfile::Builder::new().prefix("keywright-pg-").tempdir().expect("a folder").keep();
        let data = folder.join("data");
        fs::create_dir(&data).expect("a folder");
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).expect("a mode");
        let is_root = fs::metadata(&folder).expect("the folder").uid() == 0;
        let user = is_root.then(unprivileged);
        if let Some((user, group)) = user {
            for folder in [&folder, &data] {
                chown(folder, Some(user), Some(group)).expect("the folder is given away");
            }
        }
        let stop = r#"cat >/dev/null; "$0/pg_ctl" -D "$1/data" -m immediate stop >/dev/null 2>&1; rm -rf "$1""#;
        let mut keeper = Command::new("sh");
        keeper.args(["-c", stop]).arg(programs).arg(&folder).current_dir(&folder);
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // In its own process group: a signal to the group of this process must not end the keeper first.
        keeper.process_group(0);
        as_user(&mut keeper, user);
        let keeper = keeper.spawn().expect("sh runs");
        Self { programs, folder, user, port: free_port(), _keeper: keeper }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    fn configure(&self, lines: &[&str]) {
        let own = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\n",
            self.port
        );
        let path = self.data().join("postgresql.auto.conf");
        let before = fs::read_to_string(&path).expect("the configuration");
        fs::write(path, before + &own + &lines.join("\n") + "\n")
            .expect("the configuration is written");
    }

    pub fn up(&self) {
        let log = self.folder.join("log");
        self.run("pg_ctl", &["-w", "-t", "60", "-l", log.to_str().expect("a path"), "start"]);
    }

    /// Stops the server in a mode of `pg_ctl`: `smart`, `fast`, or `immediate`, which is a crash.
    pub fn down(&self, mode: &str) {
        self.run("pg_ctl", &["-w", "-m", mode, "stop"]);
    }

    /// Promotes this standby to the primary.
    pub fn promote(&self) {
        self.run("pg_ctl", &["-w", "promote"]);
    }

    /// Runs a program on the server's data.
    fn run(&self, program: &str, arguments: &[&str]) {
        let data = self.data();
        let mut all = vec!["-D", data.to_str().expect("a path")];
        all.extend(arguments);
        self.program(program, &all);
    }

    fn program(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir(&self.folder).env("LC_ALL", "C.UTF-8");
        // A started server must not inherit the output of this process.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let errors = self.folder.join("errors");
        command.stderr(fs::File::create(&errors).expect("a file"));
        as_user(&mut command, self.user);
        let status = command.status().expect("the program runs");
        let told = fs::read_to_string(&errors).unwrap_or_default();
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(status.success(), "{program} {arguments:?}: {told}{log}");
    }

    pub fn options(&self, database: &str) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(self.port);
        options.username("postgres").database(database)
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Creates an empty database.
    pub async fn create(&self, database: &str) {
        let mut connection =
            PgConnection::connect_with(&self.options("postgres")).await.expect("the server");
        let create = format!("CREATE DATABASE {database}");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.expect("a database");
    }

    pub async fn pool(&self, database: &str, connections: u32) -> PgPool {
        let pool = PgPoolOptions::new().max_connections(connections).test_before_acquire(false);
        pool.connect_with(self.options(database)).await.expect("the server")
    }
}

/// Returns a free port for a program that is stopped and started again.
///
/// It is outside of the range from which the system assigns ports, so no other program takes it in between.
pub fn free_port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let mut drawn = std::iter::repeat_with(|| rand::random_range(20_000..32_000));
    drawn.find(is_free).expect("an endless draw")
}

fn as_user(command: &mut Command, user: Option<(u32, u32)>) {
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
}

/// Returns the user id and the group id of a user without privileges.
fn unprivileged() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").expect("the users");
    let line = USERS.iter().find_map(|name| {
        let of = |line: &&str| line.split(':').next() == Some(name);
        users.lines().find(of)
    });
    let mut fields = line.expect("a user without privileges").split(':').skip(2);
    let mut id = || fields.next().expect("an id").parse().expect("a number");
    (id(), id())
}
