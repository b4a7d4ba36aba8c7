//! The real `zipkeep-cli` end to end: what people type, what scripts read, exit codes, Ctrl-C.

mod support;

use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use support::{
    SeaweedFs, Server, assert_same_tree, check_archive, every_server, noise, object_keys, odd_tree,
    plain_tree, unfinished_uploads, write_file,
};

/// A computer with an empty home.
struct Computer {
    home: tempfile::TempDir,
}

impl Computer {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zipkeep-cli"));
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments)
            .output()
            .expect("the program starts")
    }

    /// Runs with `--json` and gives the last line; every line must be JSON.
    fn json(&self, expected_exit: i32, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        assert_eq!(
            output.status.code(),
            Some(expected_exit),
            "{}",
            printed(&output)
        );
        last_line(&output.stdout)
    }

    /// Adds a profile `s3` for this server.
    fn add_server(&self, server: &Server) {
        self.add_profile("s3", server, &server.secret_access_key);
    }

    fn add_profile(&self, name: &str, server: &Server, secret: &str) {
        let arguments = [
            "profile",
            "add",
            name,
            "--provider",
            "minio",
            "--endpoint",
            &server.endpoint_url,
            "--region",
            &server.region,
            "--bucket",
            &server.bucket,
            "--root",
            "my backups/pc",
            "--access-key-id",
            &server.access_key_id,
            "--secret-stdin",
        ];
        let mut child = self
            .command(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        writeln!(stdin, "{secret}").expect("written");
        drop(stdin);
        assert!(child.wait().expect("ended").success());
    }

    /// The one archive in the default folder destination.
    fn archive(&self) -> PathBuf {
        let backups = self.path(".local/share/zipkeep/backups");
        let mut entries = fs::read_dir(backups).expect("a folder");
        let archive = entries
            .next()
            .expect("an archive")
            .expect("an entry")
            .path();
        assert!(entries.next().is_none(), "and nothing else");
        archive
    }
}

fn printed(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}", text(&output.stdout), text(&output.stderr))
}

fn last_line(stdout: &[u8]) -> Value {
    let text = std::str::from_utf8(stdout).expect("UTF-8");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .collect();
    lines.last().expect("a line").clone()
}

/// Every file below a folder, as text, with its path.
fn all_text_below(folder: &Path) -> String {
    let files = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok);
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let bytes = fs::read(entry.path()).unwrap_or_default();
            format!(
                "{}: {}\n",
                entry.path().display(),
                String::from_utf8_lossy(&bytes)
            )
        })
        .collect()
}

#[test]
fn on_a_fresh_machine_one_line_backs_a_folder_up() {
    let computer = Computer::new();
    odd_tree(&computer.path("docs"));
    let output = computer.run(&["backup", "docs"]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    let names = check_archive(&computer.archive());
    assert!(names.contains(&"docs/readme.txt".to_owned()));
    let output = computer.run(&["restore", "latest", "--to", "there"]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert_same_tree(&computer.path("docs"), &computer.path("there/docs"));
    assert!(
        !computer.path(".config").exists(),
        "nobody changed a setting"
    );
}

#[test]
fn scripts_read_json_lines_as_the_contract_says() {
    let computer = Computer::new();
    plain_tree(&computer.path("docs"));
    let line = computer.json(0, &["backup", "docs"]);
    assert_eq!(
        (&line["event"], &line["command"], &line["ok"]),
        (&"finished".into(), &"backup".into(), &true.into())
    );
    let result = &line["result"];
    let name = result["backup"].as_str().expect("a name").to_owned();
    assert_eq!(result["key"], Value::from(name.clone()));
    assert_eq!(result["unchanged"], false);
    assert_eq!(result["files"], 5);
    assert_eq!(result["warnings"], Value::Array(Vec::new()));
    for number in [
        "bytes_total",
        "bytes_read",
        "bytes_uploaded",
        "bytes_copied",
        "requests",
        "duration_secs",
    ] {
        assert!(result[number].is_number(), "{number}");
    }
    let listed = computer.json(0, &["list", "--this-device"]);
    let row = &listed["result"]["backups"][0];
    assert_eq!(
        (&row["name"], &row["origin"], &row["profile"]),
        (&name.clone().into(), &"zipkeep".into(), &"default".into())
    );
    for field in ["key", "created", "device", "os"] {
        assert!(row[field].is_string(), "{field}");
    }
    assert!(row["size_bytes"].as_u64().is_some_and(|size| size > 0));
    let shown = computer.json(0, &["show", "latest", "--path", "docs/photos/**"]);
    let entries = shown["result"]["entries"].as_array().expect("entries");
    let beach = entries
        .iter()
        .find(|entry| entry["path"] == "docs/photos/2024/beach.jpg")
        .expect("listed");
    assert_eq!(
        (&beach["kind"], &beach["size_bytes"]),
        (&"file".into(), &70_000.into())
    );
    assert!(beach["blake3"].is_string() && beach["modified"].is_string());
    assert!(entries.iter().all(|entry| {
        entry["path"]
            .as_str()
            .is_some_and(|p| p.starts_with("docs/photos/"))
    }));
    let restored = computer.json(0, &["restore", &name[..20], "--to", "there"]);
    assert_eq!(restored["result"]["files"], 5);
    assert_eq!(restored["result"]["refused"], Value::Array(Vec::new()));
    let downloaded = computer.json(0, &["download", "latest", "copy.zip"]);
    assert_eq!(downloaded["result"]["bytes"], row["size_bytes"]);
    check_archive(&computer.path("copy.zip"));
    let again = computer.json(1, &["download", "latest", "copy.zip"]);
    assert_eq!(
        again["error"]["kind"], "target",
        "an existing file is not overwritten"
    );
    let tested = computer.json(0, &["test"]);
    let checks = tested["result"]["checks"].as_array().expect("checks");
    assert!(
        checks
            .iter()
            .all(|check| check["outcome"] == "pass" && check["millis"].is_number())
    );
    let deleted = computer.json(0, &["delete", "latest", "--yes"]);
    assert_eq!(deleted["result"]["deleted"][0], Value::from(name));
    let failed = computer.json(1, &["restore", "latest", "--to", "x"]);
    assert_eq!(
        (&failed["event"], &failed["error"]["kind"]),
        (&"failed".into(), &"no-such-backup".into())
    );
    assert!(failed["error"]["hint"].is_string());
}

#[test]
fn wrong_usage_is_exit_code_two_and_changes_nothing() {
    let computer = Computer::new();
    plain_tree(&computer.path("docs"));
    computer.run(&["backup", "docs"]);
    for arguments in [
        &["delete", "latest"][..],
        &["backup"],
        &["frobnicate"],
        &["restore"],
        &["--profile", "nobody", "list"],
        &["profile", "add", "bad name", "--provider", "folder"],
        &["profile", "add", "default", "--provider", "folder"],
        &["profile", "add", "new"],
        &[
            "profile",
            "add",
            "new",
            "--provider",
            "folder",
            "--bucket",
            "b",
        ],
        &["show", "latest", "--path", "["],
    ] {
        let output = computer.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            printed(&output)
        );
        assert!(!output.stderr.is_empty());
    }
    assert!(computer.archive().exists());
    let output = computer.run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn profiles_are_added_changed_exported_imported_and_removed() {
    let (a, b) = (Computer::new(), Computer::new());
    let add = [
        "profile",
        "add",
        "disk",
        "--provider",
        "folder",
        "--root",
        "disk",
        "--source",
        "docs",
        "--exclude",
        "*.tmp",
    ];
    assert!(a.run(&add).status.success());
    assert!(
        a.run(&["profile", "edit", "disk", "--exclude", "*.bak"])
            .status
            .success()
    );
    let shown = a.json(0, &["--profile", "disk", "profile", "show"]);
    assert_eq!(shown["result"]["excludes"], serde_json::json!(["*.bak"]));
    assert_eq!(
        shown["result"]["sources"][0],
        Value::from(a.path("docs").to_string_lossy())
    );
    plain_tree(&a.path("docs"));
    assert_eq!(
        a.json(0, &["--profile", "disk", "backup"])["result"]["files"],
        5
    );
    assert_eq!(fs::read_dir(a.path("disk")).expect("a folder").count(), 1);
    let exported = a.run(&["profile", "export", "disk"]).stdout;
    fs::write(b.path("disk.json"), exported).expect("written");
    assert!(b.run(&["profile", "import", "disk.json"]).status.success());
    let names = |computer: &Computer| {
        let listed = computer.json(0, &["profile", "list"]);
        let profiles = listed["result"]["profiles"]
            .as_array()
            .expect("profiles")
            .clone();
        profiles
            .iter()
            .map(|profile| profile["name"].as_str().unwrap_or("").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&b), ["default", "disk"]);
    assert!(b.run(&["profile", "remove", "disk"]).status.success());
    assert_eq!(names(&b), ["default"]);
    fs::write(b.path(".config/zipkeep/config.toml"), "not [ toml").expect("written");
    let output = b.run(&["list"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        printed(&output).contains("config.toml"),
        "{}",
        printed(&output)
    );
    let kept = fs::read_to_string(b.path(".config/zipkeep/config.toml")).expect("kept");
    assert_eq!(kept, "not [ toml", "damaged settings are not overwritten");
}

#[test]
fn a_secret_in_a_wrong_field_is_neither_saved_nor_repeated() {
    let computer = Computer::new();
    let nowhere = |output: &Output| {
        let kept = fs::read_to_string(computer.path(".config/zipkeep/config.toml"));
        let all = format!("{}{}", printed(output), kept.unwrap_or_default());
        assert!(!all.contains("hunter2"), "{all}");
    };
    let add = |fields: &[&str]| {
        let begin = ["profile", "add", "q", "--provider", "aws"];
        let output = computer.run(&[&begin, fields].concat());
        nowhere(&output);
        output
    };
    for fields in [
        ["--bucket", "https://AK:hunter2@host.example/b"],
        ["--bucket", "AK:hunter2@host"],
        ["--bucket", "AK:hunter2"],
        ["--region", "AK:hunter2@x"],
        ["--root", "https://AK:hunter2@host.example/b"],
        ["--root", "a/AK:hunter2@x"],
        ["--access-key-id", "https://AK:hunter2@host.example"],
        ["--endpoint", "https://AK:hunter2@host.example/b"],
        ["--endpoint", "https://AK%3Ahunter2%40host.example/b"],
    ] {
        let output = add(&fields);
        assert_eq!(output.status.code(), Some(2), "{fields:?}");
    }
    let address = printed(&add(&["--bucket", "https://h.example/b"]));
    assert!(address.contains("into the endpoint"), "{address}");
    let signed = "https://h.example/b?X-Amz-Security-Token=hunter2&X-Amz-Signature=hunter2";
    let added = add(&["--endpoint", signed]);
    assert!(added.status.success());
    let told = printed(&added);
    assert!(told.contains("is not kept"), "{told}");
    nowhere(&computer.run(&["profile", "export", "q"]));
    for (field, value) in [
        ("endpoint", "https://AK:hunter2@h.example/b"),
        ("bucket", "AK:hunter2@b"),
        ("region", "AK:hunter2"),
    ] {
        let destination = serde_json::json!({"kind": "s3", "provider": "aws", field: value});
        let profile = serde_json::json!({"name": "i", "destination": destination});
        fs::write(computer.path("i.json"), profile.to_string()).expect("written");
        let output = computer.run(&["profile", "import", "i.json"]);
        assert_eq!(output.status.code(), Some(2), "{}", printed(&output));
        nowhere(&output);
    }
}

#[test]
fn a_root_path_that_cannot_be_is_refused_when_it_is_set() {
    let computer = Computer::new();
    for root in ["../x", "a//b", "a/./b"] {
        let begin = ["profile", "add", "q", "--provider", "aws", "--root"];
        let output = computer.run(&[&begin[..], &[root]].concat());
        assert_eq!(output.status.code(), Some(2), "{root}");
        let told = printed(&output);
        assert!(told.contains("cannot be a root path"), "{told}");
    }
    let add = ["profile", "add", "q", "--provider", "aws", "--root", "a/b"];
    assert!(computer.run(&add).status.success());
    let edit = ["profile", "edit", "q", "--root", "../x"];
    assert_eq!(computer.run(&edit).status.code(), Some(2));
}

#[test]
fn how_a_profile_backs_up_is_set_shown_and_carried_over() {
    let (a, b) = (Computer::new(), Computer::new());
    let add = [
        "profile",
        "add",
        "disk",
        "--provider",
        "folder",
        "--compression",
        "small",
    ];
    assert!(a.run(&add).status.success());
    let show = ["--profile", "disk", "profile", "show"];
    let shown = &a.json(0, &show)["result"];
    assert_eq!(
        (&shown["compression"], &shown["when_unchanged"]),
        (&"small".into(), &"skip".into())
    );
    let edit = ["profile", "edit", "disk", "--when-unchanged", "back-up"];
    assert!(a.run(&edit).status.success());
    let text = printed(&a.run(&show));
    assert!(text.contains("compression    small"), "{text}");
    assert!(text.contains("when unchanged back-up"), "{text}");
    let exported = a.run(&["profile", "export", "disk"]).stdout;
    fs::write(b.path("disk.json"), exported).expect("written");
    assert!(b.run(&["profile", "import", "disk.json"]).status.success());
    assert_eq!(b.json(0, &show)["result"], a.json(0, &show)["result"]);
    for wrong in [["--compression", "best"], ["--when-unchanged", "never"]] {
        let output = a.run(&[&["profile", "edit", "disk"], &wrong[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_backup_is_made_when_it_is_asked_for_by_force() {
    let computer = Computer::new();
    plain_tree(&computer.path("docs"));
    computer.json(0, &["backup", "docs"]);
    for option in ["--force", "--remove-deleted"] {
        let made = &computer.json(0, &["backup", "docs", option])["result"];
        assert_eq!(made["unchanged"], false, "{option}");
        assert!(made["backup"].is_string(), "{option}");
    }
    let listed = computer.json(0, &["list"]);
    let rows = listed["result"]["backups"].as_array().map(Vec::len);
    assert_eq!(rows, Some(3));
}

#[test]
fn a_mirror_does_not_remove_another_profiles_backups() {
    let computer = Computer::new();
    write_file(&computer.path("docs"), "a.txt", b"a");
    let other = computer.path("docs/backups of another");
    let root = other.display().to_string();
    let add = [
        "profile",
        "add",
        "other",
        "--provider",
        "folder",
        "--root",
        &root,
        "--source",
        "docs",
    ];
    assert!(computer.run(&add).status.success());
    computer.json(0, &["backup", "docs"]);
    computer.json(0, &["--profile", "other", "backup", "docs"]);
    let archives = || fs::read_dir(&other).expect("there").count();
    let before = archives();
    assert!(before > 0);
    write_file(&computer.path("docs"), "new.txt", b"goes");
    let report = computer.json(0, &["restore", "latest", "--mirror"]);
    assert_eq!(report["result"]["removed"], 1, "{report}");
    assert!(!computer.path("docs/new.txt").exists());
    assert_eq!(archives(), before);
}

#[test]
fn a_backup_is_verified_and_damage_is_named_with_exit_code_one() {
    let computer = Computer::new();
    let content = noise(3, 50_000);
    write_file(&computer.path("docs"), "a.bin", &content);
    write_file(&computer.path("docs"), "b.bin", b"small");
    computer.json(0, &["backup", "docs"]);
    let whole = &computer.json(0, &["verify", "latest"])["result"];
    assert_eq!(whole["damaged"], Value::Array(Vec::new()));
    assert_eq!(whole["bytes"], 50_005);
    assert!(whole["entries"].as_u64() >= Some(2), "{whole}");
    let said = printed(&computer.run(&["verify", "latest"]));
    assert!(said.contains("Whole:"), "{said}");

    let archive = computer.archive();
    let mut bytes = fs::read(&archive).expect("read");
    let found = bytes.windows(64).position(|part| *part == content[..64]);
    bytes[found.expect("stored as it is") + 10] ^= 1;
    fs::write(&archive, &bytes).expect("written");
    let line = computer.json(1, &["verify", "latest"]);
    assert_eq!(
        (&line["event"], &line["ok"]),
        (&"finished".into(), &true.into()),
        "it ran to its end"
    );
    assert_eq!(line["result"]["damaged"][0]["path"], "docs/a.bin");
    assert!(line["result"]["damaged"][0]["reason"].is_string());
    let output = computer.run(&["verify", "latest"]);
    assert_eq!(output.status.code(), Some(1));
    let said = printed(&output);
    for part in ["DAMAGED: 1 place in", "docs/a.bin", "Keep it"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("Whole"), "{said}");
    let quick = computer.run(&["verify", "latest", "--quick"]);
    assert_eq!(quick.status.code(), Some(0), "{}", printed(&quick));
    assert!(printed(&quick).contains("no content was read"));
    let help = printed(&computer.run(&["verify", "--help"]));
    assert!(help.contains("1 some of it is damaged"), "{help}");
}

#[test]
fn from_computer_a_through_a_bucket_to_computer_b() {
    for server in every_server() {
        let (a, b) = (Computer::new(), Computer::new());
        odd_tree(&a.path("docs"));
        write_file(&a.path("docs"), "big.bin", &noise(5, 30 << 20));
        a.add_server(&server);
        b.add_server(&server);
        let settings = b.path(".config/zipkeep/config.toml");
        let text = fs::read_to_string(&settings).expect("settings");
        fs::write(
            settings,
            text.replace("device = \"\"", "device = \"computer-b\""),
        )
        .expect("written");
        let made = a.json(0, &["--profile", "s3", "backup", "docs"]);
        let name = made["result"]["backup"]
            .as_str()
            .expect("a name")
            .to_owned();
        let listed = b.json(0, &["--profile", "s3", "list"]);
        assert_eq!(
            listed["result"]["backups"][0]["name"],
            Value::from(name.clone()),
            "{}",
            server.name
        );
        let restored = b.json(0, &["--profile", "s3", "restore", &name, "--to", "from-a"]);
        assert_eq!(restored["result"]["refused"], Value::Array(Vec::new()));
        assert_same_tree(&a.path("docs"), &b.path("from-a/docs"));
        b.json(0, &["--profile", "s3", "download", &name, "copy.zip"]);
        check_archive(&b.path("copy.zip"));
        b.json(0, &["--profile", "s3", "delete", &name, "--yes"]);
        assert_eq!(
            a.json(0, &["--profile", "s3", "list"])["result"]["backups"],
            Value::Array(Vec::new())
        );
        assert_eq!(unfinished_uploads(&server), [""; 0], "{}", server.name);
        let kept = all_text_below(&a.path(".config"))
            + &all_text_below(&a.path(".local/share/zipkeep/logs"));
        assert!(
            !kept.contains(&server.secret_access_key),
            "no secret in settings or logs"
        );
    }
}

#[test]
fn wrong_settings_end_with_a_plain_message_and_leave_nothing() {
    for server in every_server() {
        let computer = Computer::new();
        plain_tree(&computer.path("docs"));
        computer.add_server(&server);
        computer.add_profile("wrong-secret", &server, "not-the-secret");
        let mut other = server.clone();
        other.bucket = "no-such-bucket-here".to_owned();
        computer.add_profile("wrong-bucket", &other, &server.secret_access_key);
        other = server.clone();
        other.endpoint_url = "http://127.0.0.1:9".to_owned();
        computer.add_profile("unreachable", &other, &server.secret_access_key);
        for (profile, kind) in [
            ("wrong-secret", "wrong-secret"),
            ("wrong-bucket", "no-bucket"),
            ("unreachable", "unreachable"),
        ] {
            for command in [&["backup", "docs"][..], &["list"]] {
                let failed = computer.json(1, &[&["--profile", profile], command].concat());
                assert_eq!(failed["error"]["kind"], kind, "{} {profile}", server.name);
            }
            let output = computer.run(&["--profile", profile, "test"]);
            assert_eq!(output.status.code(), Some(1));
            assert!(printed(&output).contains("FAILED"), "{}", printed(&output));
        }
        let mut one_run = computer.command(&["--profile", "wrong-secret", "list"]);
        one_run.env("ZIPKEEP_SECRET_ACCESS_KEY", &server.secret_access_key);
        assert!(
            one_run.status().expect("it starts").success(),
            "the variable wins for one run"
        );
        assert_eq!(object_keys(&server), [""; 0], "{}", server.name);
        assert_eq!(unfinished_uploads(&server), [""; 0], "{}", server.name);
    }
}

/// Starts a backup and waits until parts of it have arrived.
#[cfg(unix)]
fn start_big_backup(computer: &Computer) -> std::process::Child {
    let mut child = computer
        .command(&["--profile", "s3", "--json", "backup", "docs"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    for line in stdout.lines() {
        let line: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        assert_eq!(line["event"], "progress", "it ended too early: {line}");
        if line["bytes_transferred"]
            .as_u64()
            .is_some_and(|bytes| bytes > 0)
        {
            break;
        }
    }
    child
}

#[cfg(unix)]
#[test]
fn ctrl_c_in_mid_upload_cleans_up_and_exits_with_130() {
    for server in every_server() {
        // What ends the program from outside is another matter: see the kill tests.
        let computer = Computer::new();
        write_file(&computer.path("docs"), "big.bin", &noise(6, 200 << 20));
        computer.add_server(&server);
        let mut child = start_big_backup(&computer);
        let kill = Command::new("kill")
            .args(["-s", "INT", &child.id().to_string()])
            .status();
        assert!(kill.expect("kill").success());
        let asked = std::time::Instant::now();
        let status = child.wait().expect("ended");
        assert_eq!(status.code(), Some(130), "{}", server.name);
        assert!(asked.elapsed().as_secs() < 5, "{:?}", asked.elapsed());
        assert_eq!(unfinished_uploads(&server), [""; 0], "{}", server.name);
        let keys = object_keys(&server);
        assert!(
            keys.iter().all(|key| key.ends_with('/')),
            "{}: {keys:?}",
            server.name
        );
    }
}

/// Runs as somebody who may not read everything: as root through `setpriv`.
#[cfg(unix)]
#[test]
fn an_unreadable_file_is_a_warning_and_exit_code_three() {
    use std::os::unix::fs::PermissionsExt as _;
    let computer = Computer::new();
    plain_tree(&computer.path("docs"));
    let locked = computer.path("docs/readme.txt");
    let everybody = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777));
    everybody(computer.home.path()).expect("set");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).expect("set");
    let mut command = computer.command(&["--json", "backup", "docs"]);
    if fs::read(&locked).is_ok() {
        // We are root, whom modes do not stop. The program may stand where others cannot go.
        let program = computer.path("zipkeep-cli");
        fs::copy(env!("CARGO_BIN_EXE_zipkeep-cli"), &program).expect("copied");
        command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(program)
            .args(["--json", "backup", "docs"])
            .current_dir(computer.home.path())
            .env("HOME", computer.home.path());
    }
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(3), "{}", printed(&output));
    let warnings = last_line(&output.stdout)["result"]["warnings"].clone();
    assert_eq!(
        warnings,
        serde_json::json!([{"path": "docs/readme.txt", "reason": "no permission to read it"}])
    );
    check_archive(&computer.archive());
    let listed = computer.json(0, &["list"]);
    assert_eq!(
        listed["result"]["backups"][0]["missing"], 1,
        "the row says so"
    );
}

/// A small disk; gone when dropped. `None` where we may not mount.
#[cfg(target_os = "linux")]
struct SmallDisk(PathBuf);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount(at: PathBuf) -> Option<Self> {
        fs::create_dir_all(&at).expect("made");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=20m", "tmpfs"])
            .arg(&at);
        if mount.output().is_ok_and(|output| output.status.success()) {
            Some(Self(at))
        } else {
            eprintln!("SKIPPED: a small disk cannot be mounted here");
            None
        }
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing_half_made() {
    let computer = Computer::new();
    write_file(&computer.path("docs"), "big.bin", &noise(7, 30 << 20));
    let Some(disk) = SmallDisk::mount(computer.path("disk")) else {
        return;
    };
    computer.json(0, &["backup", "docs"]);
    write_file(&disk.0, "mine.txt", b"mine");
    let failed = computer.json(1, &["restore", "latest", "--to", "disk/there"]);
    assert_eq!(
        failed["error"]["kind"], "no-room",
        "told before anything is fetched"
    );
    let names = || -> Vec<_> {
        fs::read_dir(&disk.0)
            .expect("a disk")
            .filter_map(Result::ok)
            .map(|e| e.file_name())
            .collect()
    };
    assert_eq!(names(), ["mine.txt"]);
    // As a destination: the upload itself finds it out.
    computer.run(&[
        "profile",
        "add",
        "small",
        "--provider",
        "folder",
        "--root",
        "disk/backups",
    ]);
    let failed = computer.json(1, &["--profile", "small", "backup", "docs"]);
    assert_eq!(failed["error"]["kind"], "full", "{failed}");
    let left = fs::read_dir(disk.0.join("backups"))
        .expect("a folder")
        .count();
    assert_eq!(left, 0, "no part of the archive stays");
    // A disk that fills up in the middle of a restore, because somebody else fills it.
    write_file(&computer.path("small"), "a.bin", &noise(8, 12 << 20));
    computer.json(0, &["backup", "small"]);
    let mut command = computer.command(&["--json", "restore", "latest", "--to", "disk/there"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let filler = fs::File::create(disk.0.join("filler"));
    filler
        .and_then(|mut file| file.write_all(&vec![1; 13 << 20]))
        .ok();
    let output = child.stdout.take().map(|mut pipe| {
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut pipe, &mut text).expect("read");
        text
    });
    let status = child.wait().expect("ended");
    fs::remove_file(disk.0.join("filler")).expect("removed");
    let line = last_line(&output.expect("output"));
    if status.code() == Some(1) {
        assert_eq!(line["error"]["kind"], "no-room", "{line}");
        assert!(!disk.0.join("there").exists(), "{:?}", names());
    } else {
        assert_eq!(
            fs::read(disk.0.join("there/small/a.bin"))
                .expect("whole")
                .len(),
            12 << 20
        );
    }
}

#[test]
fn two_servers_of_one_kind_do_not_mix_their_secrets() {
    let Some(server) = SeaweedFs::shared() else {
        return;
    };
    let computer = Computer::new();
    computer.add_profile("one", &server, "first-secret");
    computer.add_server(&server);
    assert!(computer.run(&["--profile", "s3", "list"]).status.success());
    assert_eq!(
        computer.json(1, &["--profile", "one", "list"])["error"]["kind"],
        "wrong-secret"
    );
    assert!(computer.run(&["profile", "remove", "s3"]).status.success());
    let secrets =
        fs::read_to_string(computer.path(".local/share/zipkeep/secrets.json")).expect("kept");
    assert!(
        !secrets.contains(&server.secret_access_key),
        "a removed profile's secret is forgotten"
    );
}

#[test]
fn every_provider_is_listed_and_can_be_chosen() {
    let computer = Computer::new();
    let listed = computer.json(0, &["profile", "providers"]);
    let providers = listed["result"]["providers"].as_array().expect("a list");
    assert!(providers.len() >= 17, "{listed}");
    for provider in providers {
        let id = provider["id"].as_str().expect("an id");
        let add = ["profile", "add", id, "--provider", id, "--bucket", "b"];
        let added = computer.json(0, &add);
        assert_eq!(added["result"]["destination"]["provider"], id);
    }
    let text = printed(&computer.run(&["profile", "providers"]));
    assert!(
        text.contains("eu-west-1") && text.contains("https://dash.cloudflare.com"),
        "{text}"
    );
    let unknown = computer.run(&["profile", "add", "x", "--provider", "nobody"]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn what_a_pasted_address_means_is_said() {
    let computer = Computer::new();
    let pasted = "https://photos.s3.eu-west-1.amazonaws.com/pc";
    let add = [
        "profile",
        "add",
        "p",
        "--provider",
        "aws",
        "--endpoint",
        pasted,
    ];
    let output = computer.run(&add);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("The bucket “photos” was taken from the address."),
        "{said}"
    );
    let shown = printed(&computer.run(&["--profile", "p", "profile", "show"]));
    assert!(
        shown.contains("https://photos.s3.eu-west-1.amazonaws.com\n"),
        "{shown}"
    );

    let edit = [
        "profile",
        "edit",
        "p",
        "--endpoint",
        "http://nas.local/photos",
    ];
    let said = printed(&computer.run(&edit));
    assert!(said.contains("--allow-plain-http"), "{said}");
    let allow = ["profile", "edit", "p", "--allow-plain-http"];
    let allowed = computer.json(0, &allow);
    assert_eq!(allowed["result"]["destination"]["allow_plain_http"], true);
    let forbid = ["profile", "edit", "p", "--allow-plain-http", "false"];
    let forbidden = computer.json(0, &forbid);
    assert_eq!(
        forbidden["result"]["destination"]["allow_plain_http"],
        false
    );
}

#[test]
fn the_access_policy_is_that_of_the_bucket_and_root_path() {
    let computer = Computer::new();
    for (name, provider, more) in [
        ("a", "aws", ["--region", "cn-north-1"]),
        (
            "r",
            "r2",
            ["--endpoint", "https://acc.r2.cloudflarestorage.com"],
        ),
    ] {
        let add = [
            "profile",
            "add",
            name,
            "--provider",
            provider,
            "--bucket",
            "photos",
            "--root",
            "pc",
        ];
        assert!(computer.run(&[&add[..], &more].concat()).status.success());
    }
    let printed_alone = computer.run(&["profile", "policy", "a"]);
    let policy: serde_json::Value = serde_json::from_slice(&printed_alone.stdout).expect("JSON");
    let objects = &policy["Statement"][2];
    assert_eq!(objects["Resource"][0], "arn:aws-cn:s3:::photos/pc/*");
    assert!(objects.to_string().contains("s3:DeleteObject"), "{objects}");
    let without = computer.json(0, &["profile", "policy", "a", "--no-delete"]);
    assert!(!without.to_string().contains("DeleteObject"), "{without}");
    assert_eq!(without["result"]["policy"]["Version"], "2012-10-17");

    let words = computer.json(0, &["profile", "policy", "r"]);
    assert!(words["result"]["policy"].is_null());
    let words = words["result"]["words"].as_str().expect("words");
    assert!(
        words.contains("photos") && words.contains("Object Read & Write"),
        "{words}"
    );
    let folder = computer.run(&["profile", "policy", "default"]);
    assert_eq!(folder.status.code(), Some(2));
}
