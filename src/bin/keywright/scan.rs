//! `keywright scan`: finds tokens in files, folders and standard input.
//!
//! Each token is printed when it is found, and 64 KiB of a file are in memory at a time.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Stdout, Write, stdin, stdout};
use std::path::{Path, PathBuf};

use keywright::scan::{Found, Scanner};
use memchr::memchr_iter;
use serde_json::json;
use zeroize::Zeroizing;

use crate::args::{Context, ScanArgs};
use crate::exit::Exit;
use crate::failure::{Failure, unreadable, whole_chain};
use crate::output::{Format, Reply, harmless, visible};

/// The bytes that are read at once.
const CHUNK: usize = 64 * 1024;

pub(crate) fn run(context: &Context, args: &ScanArgs) -> Result<Reply, Failure> {
    if let Some(tool) = args.rules {
        if context.prefixes.is_empty() {
            let message =
                "the rules need the prefixes of your tokens: give --prefix, once for each";
            return Err(Failure::usage(message));
        }
        let rules = tool.rules(&context.prefixes);
        let rows = context.prefixes.iter().map(|prefix| vec![prefix.to_string(), prefix.pattern()]);
        let json = json!({ "scanner": tool, "rules": rules });
        return Ok(Reply::text(rules.trim_end(), &["prefix", "pattern"], rows.collect(), json));
    }
    let scanner = Scanner::new().prefixes(context.prefixes.iter().cloned());
    let report = Report { scanner, out: stdout(), format: context.output, found: 0, unread: 0 };
    let here = [PathBuf::from(".")];
    report.search(if args.paths.is_empty() { &here[..] } else { &args.paths[..] })
}

/// A search: its output, and what it found so far.
struct Report {
    scanner: Scanner,
    out: Stdout,
    format: Format,
    found: u64,
    /// The number of files and folders that could not be read.
    unread: u64,
}

impl Report {
    fn search(mut self, paths: &[PathBuf]) -> Result<Reply, Failure> {
        let written = match self.format {
            Format::Table => Ok(()),
            Format::Json => write!(self.out, "{{\"items\":["),
            Format::Csv => writeln!(self.out, "path,line,column,prefix,key_id"),
        };
        let written = written.and_then(|()| paths.iter().try_for_each(|path| self.named(path)));
        let written = written.and_then(|()| match self.format {
            Format::Json => writeln!(self.out, "]}}"),
            Format::Table | Format::Csv => Ok(()),
        });
        let written = written.and_then(|()| self.out.flush());
        // A reader that closes the pipe early, such as `head`, is not a failure.
        if let Err(error) = written
            && error.kind() != ErrorKind::BrokenPipe
        {
            let message = format!("cannot write to standard output: {}", whole_chain(&error));
            return Err(Failure::new(Exit::Unwritten, "output_failed", message));
        }
        Ok(Reply::default().failing(self.failure()))
    }

    /// Returns the failure of a search that found tokens, or could not read everything.
    fn failure(&self) -> Option<Failure> {
        let unread = match self.unread {
            0 => String::new(),
            1 => "1 file or folder could not be read".to_owned(),
            count => format!("{count} files or folders could not be read"),
        };
        let found = match self.found {
            0 if self.unread == 0 => return None,
            0 => return Some(Failure::new(Exit::Unavailable, "unreadable", unread)),
            1 => "1 token was found".to_owned(),
            count => format!("{count} tokens were found"),
        };
        let both = if self.unread == 0 { found } else { format!("{found}, and {unread}") };
        Some(Failure::refused("tokens_found", both))
    }

    /// Searches a path of the command line: standard input, a file or a folder.
    fn named(&mut self, path: &Path) -> io::Result<()> {
        if path == Path::new("-") {
            return self.read(path, stdin().lock());
        }
        match fs::metadata(path) {
            Ok(about) if about.is_dir() => self.folder(path),
            Ok(_) => self.file(path),
            Err(error) => {
                self.unreadable(path, &error);
                Ok(())
            }
        }
    }

    /// Searches a folder and the folders in it, in the order of their names.
    fn folder(&mut self, path: &Path) -> io::Result<()> {
        let mut waiting = self.entries(path);
        while let Some(path) = waiting.pop() {
            match fs::symlink_metadata(&path).map(|about| about.file_type()) {
                Ok(kind) if kind.is_dir() => waiting.extend(self.entries(&path)),
                Ok(kind) if kind.is_file() => self.file(&path)?,
                // A link, a device, a pipe or a socket.
                Ok(_) => {}
                Err(error) => self.unreadable(&path, &error),
            }
        }
        Ok(())
    }

    /// Returns the entries of a folder in descending order. A folder that cannot be read has none.
    fn entries(&mut self, folder: &Path) -> Vec<PathBuf> {
        entries(folder).unwrap_or_else(|error| {
            self.unreadable(folder, &error);
            Vec::new()
        })
    }

    fn file(&mut self, path: &Path) -> io::Result<()> {
        match File::open(path) {
            Ok(file) => self.read(path, file),
            Err(error) => {
                self.unreadable(path, &error);
                Ok(())
            }
        }
    }

    /// Searches a file to its end.
    fn read(&mut self, path: &Path, mut file: impl Read) -> io::Result<()> {
        let mut buffer = Zeroizing::new(vec![0; CHUNK]);
        let mut stream = self.scanner.stream();
        let mut position = Position::default();
        loop {
            let mut chunk = match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => &buffer[..length],
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.unreadable(path, &error);
                    return Ok(());
                }
            };
            for found in stream.push(chunk) {
                // A token that began in the last chunk has no line break before this one.
                let before = found.range.start.saturating_sub(position.offset);
                let (passed, rest) = chunk.split_at(usize::try_from(before).unwrap_or(chunk.len()));
                position.pass(passed);
                chunk = rest;
                self.print(
                    path,
                    position.line,
                    1 + found.range.start - position.line_start,
                    &found,
                )?;
            }
            position.pass(chunk);
        }
    }

    fn print(&mut self, path: &Path, line: u64, column: u64, found: &Found) -> io::Result<()> {
        let is_first = self.found == 0;
        self.found += 1;
        let path = Scanner::new().redact(&path.to_string_lossy()).into_owned();
        let (prefix, id) = (&found.prefix, found.token.key_id());
        match self.format {
            Format::Table => {
                let path = visible(&path).replace('\n', "\u{FFFD}");
                writeln!(self.out, "{path}:{line}:{column}: {}", found.display_prefix())
            }
            Format::Json => {
                let item = json!({ "path": path, "line": line, "column": column, "prefix": prefix, "key_id": id });
                write!(self.out, "{}{item}", if is_first { "" } else { "," })
            }
            Format::Csv => {
                let cells = [harmless(&path), line.to_string(), column.to_string()];
                let cells = cells.into_iter().chain([prefix.to_string(), id.to_string()]);
                let mut writer = csv::Writer::from_writer(&mut self.out);
                writer.write_record(cells)?;
                writer.flush()
            }
        }
    }

    /// Reports a file that cannot be read. The search continues.
    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.unread += 1;
        let what = format!("cannot read {}", path.display());
        // The exit code is that of the whole search.
        let _ = unreadable(&what, error).report(self.format == Format::Json);
    }
}

/// Returns the entries of a folder in descending order, without Git's own folder.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name() != Some(OsStr::new(".git")) {
            paths.push(path);
        }
    }
    paths.sort_unstable_by(|one, other| other.cmp(one));
    Ok(paths)
}

/// A place in a file.
struct Position {
    /// The number of the line, from 1.
    line: u64,
    /// The first byte of the line.
    line_start: u64,
    offset: u64,
}

impl Default for Position {
    fn default() -> Self {
        Self { line: 1, line_start: 0, offset: 0 }
    }
}

impl Position {
    /// Passes over bytes.
    fn pass(&mut self, bytes: &[u8]) {
        for place in memchr_iter(b'\n', bytes) {
            self.line += 1;
            self.line_start = self.offset + place as u64 + 1;
        }
        self.offset += bytes.len() as u64;
    }
}
