//! A first backup over a long line keeps it full, from the program's start to its end, and so does a
//! restore; one file costs few round trips.
//!
//! `ZIPKEEP_LINE=full` sends 300 MB each and wants 90 %; run it with `ZIPKEEP_CLI` naming a release
//! build. By default less is sent, of which the round trips at both ends are a bigger share.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{Line, Moment, Proxy, SeaweedFs, Server, Step, noise, write_file};

const LINE: Line = Line {
    round_trip: Duration::from_millis(60),
    bytes_per_sec: 20_000_000,
};
const SMALL_FILE_BYTES: usize = 15_000;

/// How much is sent, and which share of the line it must fill.
#[derive(Debug, Clone, Copy)]
struct Size {
    big_file_bytes: usize,
    small_files: usize,
    /// By a backup.
    least: f64,
    /// By a restore, which brings its files to the disk and to their places after the line's last byte.
    least_down: f64,
}

fn size() -> Size {
    if std::env::var_os("ZIPKEEP_LINE").is_some_and(|value| value == "full") {
        Size {
            big_file_bytes: 300_000_000,
            small_files: 20_000,
            least: 0.9,
            least_down: 0.9,
        }
    } else {
        // 2 s of line and ten round trips.
        Size {
            big_file_bytes: 40_000_000,
            small_files: 2_700,
            least: 0.55,
            least_down: 0.35,
        }
    }
}

/// A computer at the end of the line.
struct Far {
    home: tempfile::TempDir,
    proxy: Proxy,
}

/// When something came for the first time.
type Moments = Arc<Mutex<Vec<(Step, Instant)>>>;

impl Far {
    fn new(server: &Server) -> Self {
        let proxy = Proxy::behind_line(server, LINE);
        let far = Self {
            home: tempfile::tempdir().expect("a folder"),
            proxy,
        };
        far.add_profile();
        far
    }

    fn source(&self) -> PathBuf {
        self.home.path().join("docs")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = std::env::var_os("ZIPKEEP_CLI");
        let program = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_zipkeep-cli").into());
        let mut command = Command::new(program);
        command
            .args(["--profile", "far"])
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .stdin(Stdio::null());
        command
    }

    fn add_profile(&self) {
        let server = self.proxy.server();
        let mut adding = self.command(&["profile", "add", "far", "--provider", "minio"]);
        adding.args(["--endpoint", &server.endpoint_url]);
        adding.args(["--region", &server.region, "--bucket", &server.bucket]);
        adding.args(["--root", "pc", "--access-key-id", &server.access_key_id]);
        adding.arg("--secret-stdin").stdin(Stdio::piped());
        let mut child = adding.stdout(Stdio::null()).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut stdin, server.secret_access_key.as_bytes())
            .expect("written");
        drop(stdin);
        assert!(child.wait().expect("ended").success());
    }

    /// Runs the program to its end, and tells of the line.
    fn run(&self, what: &str, arguments: &[&str]) -> Run {
        self.proxy.count_anew();
        let moments = self.note_moments();
        let began = Instant::now();
        let output = self.command(arguments).output().expect("it starts");
        let wall = began.elapsed();
        assert!(output.status.success(), "{what}: {output:?}");
        let (up, down) = (
            self.proxy.line_report().bytes,
            self.proxy.line_report_down().bytes,
        );
        let full = |bytes| LINE.time_of(bytes).as_secs_f64() / wall.as_secs_f64();
        let run = Run {
            up_fullness: full(up),
            down_fullness: full(down),
            bytes_down: down,
            requests: self.proxy.seen().total().requests,
        };
        println!(
            "{what}: {wall:.2?}, {up} bytes up ({:.1} %), {down} down ({:.1} %)\n{}",
            run.up_fullness * 100.0,
            full(down) * 100.0,
            self.proxy.seen()
        );
        for (step, at) in moments.lock().expect("nobody panics with it").iter() {
            println!("  first {step} after {:.2?}", at.duration_since(began));
        }
        run
    }

    fn note_moments(&self) -> Moments {
        let moments = Moments::default();
        let steps = [
            Step::List,
            Step::ListUploads,
            Step::CreateUpload,
            Step::UploadPart,
            Step::CopyPart,
            Step::Complete,
            Step::Get,
        ];
        for step in steps {
            let moments = Arc::clone(&moments);
            self.proxy.at(step, 1, Moment::Arrives, move || {
                let mut moments = moments.lock().expect("nobody panics with it");
                moments.push((step, Instant::now()));
            });
        }
        moments
    }
}

struct Run {
    up_fullness: f64,
    down_fullness: f64,
    bytes_down: u64,
    requests: u64,
}

/// Which way most of the bytes go.
#[derive(Debug, Clone, Copy)]
enum Way {
    Up,
    Down,
}

impl Run {
    #[track_caller]
    fn must_fill(&self, way: Way, least: f64) {
        let fullness = match way {
            Way::Up => self.up_fullness,
            Way::Down => self.down_fullness,
        };
        assert!(fullness >= least, "{fullness:.3} of the line, not {least}");
        assert!(fullness <= 1.0, "{fullness:.3}: more than it carries");
    }
}

fn write_small_files(folder: &Path, count: usize) {
    for number in 0..count {
        let name = format!("{}/{number}.bin", number / 100);
        write_file(folder, &name, &noise(number as u64, SMALL_FILE_BYTES));
    }
}

#[test]
fn one_big_file_fills_the_line() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let far = Far::new(&server);
    let big = noise(1, size().big_file_bytes);
    write_file(&far.source(), "big.bin", &big);
    drop(big);
    let run = far.run("first backup of one file", &["backup", "docs"]);
    run.must_fill(Way::Up, size().least);
    write_file(&far.source(), "new.bin", &noise(2, 1_000_000));
    far.run("increment of 1 MB", &["backup", "docs"]);
    far.run("nothing changed", &["backup", "docs"]);
    let run = far.run("restore", &["restore", "latest", "--to", "there"]);
    run.must_fill(Way::Down, size().least_down);
}

#[test]
fn many_small_files_fill_the_line() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let far = Far::new(&server);
    write_small_files(&far.source(), size().small_files);
    let run = far.run("first backup of small files", &["backup", "docs"]);
    run.must_fill(Way::Up, size().least);
    let one = [
        "restore",
        "latest",
        "--to",
        "one",
        "--only",
        "docs/3/321.bin",
    ];
    let run = far.run("restore of one file, for the first time", &one);
    assert!(run.requests <= 4, "{} round trips", run.requests);
    std::fs::remove_dir_all(far.home.path().join("one")).expect("removed");
    let run = far.run("restore of one file, again", &one);
    assert!(run.requests <= 2, "{} round trips", run.requests);
    // Its own bytes, its headers, and the answers' heads and the list.
    let most_bytes = SMALL_FILE_BYTES as u64 + 8_000;
    assert!(run.bytes_down <= most_bytes, "{} bytes", run.bytes_down);
    let run = far.run("restore", &["restore", "latest", "--to", "there"]);
    run.must_fill(Way::Down, size().least_down);
}
