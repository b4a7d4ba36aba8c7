//! Two computers with one bucket, one profile name and one folder name: each sees what the other has
//! backed up and can restore it, and nothing that one does harms what the other has.

mod support;

use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use support::{
    SeaweedFs, Server, assert_same_contents, assert_same_tree, noise, plain_tree,
    unfinished_uploads, write_file,
};

/// A home of its own, with the real program.
struct Computer {
    home: tempfile::TempDir,
    device: &'static str,
}

impl Computer {
    /// With the profile `p`, which backs up the folder `docs` of this home.
    fn new(device: &'static str, server: &Server) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let computer = Self { home, device };
        fs::create_dir(computer.docs()).expect("made");
        let mut adding = computer
            .command(&[
                "profile",
                "add",
                "p",
                "--provider",
                "minio",
                "--root",
                "ours",
            ])
            .args([
                "--endpoint",
                &server.endpoint_url,
                "--region",
                &server.region,
            ])
            .args(["--bucket", &server.bucket])
            .args(["--access-key-id", &server.access_key_id, "--secret-stdin"])
            .arg("--source")
            .arg(computer.docs())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut stdin = adding.stdin.take().expect("a pipe");
        writeln!(stdin, "{}", server.secret_access_key).expect("written");
        drop(stdin);
        assert!(adding.wait().expect("ended").success());
        let file = computer.home.path().join("config/config.toml");
        let text = fs::read_to_string(&file).expect("settings");
        let lines = text.lines().filter(|line| !line.starts_with("device ="));
        let named = format!(
            "device = \"{device}\"\n{}",
            lines.collect::<Vec<_>>().join("\n")
        );
        fs::write(&file, named).expect("written");
        computer
    }

    fn docs(&self) -> PathBuf {
        self.home.path().join("docs")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zipkeep-cli"));
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path().join("home"))
            .env("ZIPKEEP_CONFIG_DIR", self.home.path().join("config"))
            .env("ZIPKEEP_DATA_DIR", self.home.path().join("data"))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let arguments = [&["--profile", "p", "--json"], arguments].concat();
        self.command(&arguments)
            .output()
            .expect("the program starts")
    }

    /// The result of a command that succeeds.
    fn ok(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        let line = last_line(&output);
        let is_ok = output.status.success();
        assert!(is_ok, "{}: {arguments:?}: {line}", self.device);
        line["result"].clone()
    }

    /// The error of a command that fails.
    fn fails(&self, expected_exit: i32, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        let line = last_line(&output);
        assert_eq!(output.status.code(), Some(expected_exit), "{line}");
        line["error"].clone()
    }

    fn rows(&self) -> Vec<(String, String)> {
        let listed = self.ok(&["list"]);
        let text = |row: &Value, field: &str| row[field].as_str().expect("text").to_owned();
        let rows = listed["backups"].as_array().expect("rows").iter();
        rows.map(|row| (text(row, "name"), text(row, "device")))
            .collect()
    }

    /// Backs up and gives the name of the archive, and how many bytes were copied.
    fn back_up(&self) -> (String, u64) {
        let report = self.ok(&["backup"]);
        let name = report["backup"].as_str().expect("a new one").to_owned();
        assert!(name.contains(&format!(".{}.", self.device)), "{name}");
        (name, report["bytes_copied"].as_u64().expect("a number"))
    }

    /// Panics unless its newest backup is that of this name, and of its folder as it is.
    fn check_latest(&self, name: &str) {
        let report = self.ok(&["restore", "latest", "--to", "back"]);
        assert_eq!(report["refused"], Value::Array(Vec::new()));
        let back = self.home.path().join("back");
        assert_same_tree(&self.docs(), &back.join("docs"));
        fs::remove_dir_all(back).expect("removed");
        let shown = self.ok(&["show", "latest"]);
        assert_eq!(shown["backup"], name);
    }

    fn verify_all(&self) {
        for (name, _) in self.rows() {
            self.ok(&["verify", &name]);
        }
    }
}

fn last_line(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(last).unwrap_or_else(|_| panic!("not JSON: {text}\n{errors}"))
}

const BIG_BYTES: usize = 9 << 20;

/// Both have backed up once; each has a file that a copy is worth.
fn two_computers(server: &Server) -> (Computer, Computer, String, String) {
    let desk = Computer::new("desk", server);
    let laptop = Computer::new("laptop", server);
    plain_tree(&desk.docs());
    write_file(&desk.docs(), "big.bin", &noise(1, BIG_BYTES));
    // The same file with the same content, and another.
    plain_tree(&laptop.docs());
    write_file(&laptop.docs(), "big.bin", &noise(2, BIG_BYTES));
    write_file(&laptop.docs(), "of the laptop.txt", b"only here");
    let (of_desk, copied) = desk.back_up();
    assert_eq!(copied, 0);
    let (of_laptop, copied) = laptop.back_up();
    assert_eq!(copied, 0, "nothing of the other computer's is taken over");
    (desk, laptop, of_desk, of_laptop)
}

#[test]
fn what_one_computer_backed_up_another_restores() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let desk = Computer::new("desk", &server);
    plain_tree(&desk.docs());
    let (name, _) = desk.back_up();
    let laptop = Computer::new("laptop", &server);
    write_file(&laptop.docs(), "readme.txt", b"of the laptop");
    assert_eq!(laptop.rows(), [(name.clone(), "desk".to_owned())]);
    assert_eq!(
        laptop.ok(&["list", "--this-device"])["backups"],
        Value::Array(Vec::new())
    );
    let error = laptop.fails(1, &["restore", "latest", "--to", "back"]);
    assert_eq!(error["kind"], "no-such-backup", "latest means its own");

    // Where to is not for the other computer's paths to say, also where they exist here.
    let error = laptop.fails(2, &["restore", &name]);
    let told = error.to_string();
    assert!(told.contains("desk") && told.contains("--to"), "{told}");
    assert_eq!(
        fs::read(laptop.docs().join("readme.txt")).expect("there"),
        b"of the laptop"
    );
    laptop.ok(&["restore", &name, "--to", "from desk"]);
    assert_same_tree(&desk.docs(), &laptop.home.path().join("from desk/docs"));

    // Over its own folder of that name, and back again.
    let here = laptop.home.path().to_str().expect("UTF-8");
    laptop.ok(&["restore", &name, "--to", here]);
    assert_same_contents(&desk.docs(), &laptop.docs());
    laptop.ok(&["undo"]);
    let left = fs::read_dir(laptop.docs()).expect("a folder").count();
    assert_eq!(left, 1);
    assert_eq!(
        fs::read(laptop.docs().join("readme.txt")).expect("there"),
        b"of the laptop"
    );
}

#[test]
fn the_increments_of_two_computers_do_not_touch_one_another() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let (desk, laptop, of_desk, of_laptop) = two_computers(&server);
    desk.check_latest(&of_desk);
    laptop.check_latest(&of_laptop);
    for round in 0..2 {
        for computer in [&desk, &laptop] {
            let text = format!("{} in round {round}", computer.device);
            write_file(&computer.docs(), "notes.txt", text.as_bytes());
            let (name, copied) = computer.back_up();
            assert!(copied > BIG_BYTES as u64, "{text}: {copied}");
            computer.check_latest(&name);
        }
    }
    assert_eq!(desk.rows(), laptop.rows());
    assert_eq!(desk.rows().len(), 6);
    desk.verify_all();
    assert_eq!(unfinished_uploads(&server), [""; 0]);
}

#[test]
fn deleting_on_one_computer_does_not_harm_the_other() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let (desk, laptop, of_desk, of_laptop) = two_computers(&server);
    let deleted = desk.ok(&["delete", "latest", "--yes"]);
    assert_eq!(deleted["deleted"], Value::from(vec![of_desk]));
    laptop.check_latest(&of_laptop);
    assert_eq!(laptop.rows().len(), 1);
    write_file(&laptop.docs(), "notes.txt", b"more");
    let (second, copied) = laptop.back_up();
    assert!(copied > BIG_BYTES as u64, "{copied}");

    // One deletes the other's, which goes on from an earlier one, or from the beginning.
    desk.ok(&["delete", &second, "--yes"]);
    write_file(&laptop.docs(), "notes.txt", b"still more");
    let (third, _) = laptop.back_up();
    laptop.check_latest(&third);
    desk.ok(&["delete", &of_laptop, &third, "--yes"]);
    assert_eq!(laptop.rows(), []);
    write_file(&laptop.docs(), "notes.txt", b"and more");
    let (fourth, copied) = laptop.back_up();
    assert_eq!(copied, 0);
    laptop.check_latest(&fourth);
    let (again, _) = desk.back_up();
    desk.check_latest(&again);
    laptop.verify_all();
    assert_eq!(unfinished_uploads(&server), [""; 0]);
}

/// A folder that everybody may write to but that is somebody else's, as `/tmp` is: its time cannot be set.
#[cfg(unix)]
#[test]
fn a_restore_into_somebody_elses_folder_can_be_undone() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    use std::os::unix::process::CommandExt as _;
    /// The user "nobody" of most systems; anybody but the superuser would do.
    const NOBODY: u32 = 65_534;
    let home = tempfile::tempdir().expect("a folder");
    plain_tree(&home.path().join("docs"));
    let is_superuser = fs::metadata(home.path()).expect("there").uid() == 0;
    let shared = tempfile::tempdir().expect("a folder");
    let folder = if is_superuser {
        fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o1777)).expect("set");
        for entry in walkdir::WalkDir::new(home.path()) {
            let entry = entry.expect("an entry");
            chown(entry.path(), Some(NOBODY), Some(NOBODY)).expect("given away");
        }
        shared.path().to_owned()
    } else {
        PathBuf::from("/tmp")
    };
    let name = format!("zipkeep-test-{}", std::process::id());
    let target = folder.join(name);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zipkeep-cli"));
        command
            .args(arguments)
            .current_dir(home.path())
            .env_clear()
            .env("HOME", home.path())
            .stdin(Stdio::null());
        if is_superuser {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().expect("the program starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
    };
    run(&["backup", "docs"]);
    for _ in 0..2 {
        run(&["restore", "latest", "--to", target.to_str().expect("UTF-8")]);
        assert_same_tree(&home.path().join("docs"), &target.join("docs"));
        run(&["undo"]);
        assert!(!target.exists());
    }
}
