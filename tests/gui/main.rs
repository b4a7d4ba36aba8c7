//! The whole window without a screen: a folder as destination, a real runtime, clicks by name.

#[path = "../support/emulator/mod.rs"]
mod emulator;
#[path = "../support/mod.rs"]
mod support;

mod destination;
mod doctor;
mod restoring;

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use zipkeep::config::{Config, Places};
use zipkeep::gui::{App, Setup};
use zipkeep::model::{
    Appearance, Compression, Destination, FolderDestination, Profile, Provider, S3Destination,
    WhenUnchanged,
};

use egui::accesskit::Role;

/// Far longer than anything here takes, for machines that are busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// Folders and a runtime of one test.
struct Desk {
    root: TempDir,
    runtime: Runtime,
}

impl Desk {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().expect("a folder"),
            runtime: Runtime::new().expect("a runtime"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn places(&self) -> Places {
        Places {
            config_dir: self.path("config"),
            data_dir: self.path("data"),
        }
    }

    /// Settings with one profile that backs `photos` up to the folder `store`.
    fn config(&self) -> Config {
        let mut config = Config::first(&self.places());
        "desk".clone_into(&mut config.device);
        config.profiles[0] = Profile {
            name: "default".to_owned(),
            sources: vec![self.path("photos")],
            excludes: Vec::new(),
            compression: Compression::default(),
            when_unchanged: WhenUnchanged::default(),
            destination: Destination::Folder(FolderDestination {
                path: self.path("store"),
            }),
        };
        config
    }

    fn window(&self, config: Config) -> Harness<'static, App> {
        let setup = Setup {
            places: self.places(),
            config,
            damaged: None,
            runtime: self.runtime.handle().clone().into(),
        };
        Harness::builder()
            .with_size([1100.0, 720.0])
            .with_max_steps(32)
            .build_eframe(move |creation| App::new(&creation.egui_ctx, setup))
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, content).expect("written");
    }

    fn archives(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path("store")) else {
            return Vec::new();
        };
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .filter(|name| Path::new(name).extension().is_some_and(|end| end == "zip"))
            .collect()
    }
}

/// Every file under `folder` by its path in there.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                let name = path.strip_prefix(root).expect("inside").to_owned();
                found.insert(name, fs::read(&path).expect("readable"));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// Draws frames until `is_so`.
#[expect(
    clippy::disallowed_methods,
    reason = "jobs run in real time, and a test has nothing else to do meanwhile"
)]
#[track_caller]
fn wait(
    window: &mut Harness<'static, App>,
    what: &str,
    is_so: impl Fn(&Harness<'static, App>) -> bool,
) {
    let began = Instant::now();
    loop {
        window.step();
        if is_so(window) {
            return;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "waited in vain for {what}; shown: {:?}",
            texts(window)
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// All names in the window, for messages of failed tests.
fn texts(window: &Harness<'static, App>) -> Vec<String> {
    window
        .root()
        .children_recursive()
        .filter_map(|node| node.accesskit_node().label().or_else(|| node.value()))
        .collect()
}

fn shows(window: &Harness<'static, App>, text: &str) -> bool {
    window.query_all_by_label_contains(text).next().is_some()
}

fn has_button(window: &Harness<'static, App>, name: &str) -> bool {
    window
        .query_all_by_role_and_label(Role::Button, name)
        .next()
        .is_some()
}

/// Waits for a button that can be pressed, and for what is new to find its place.
#[track_caller]
fn settle(window: &mut Harness<'static, App>, name: &str) {
    wait(window, name, |window| {
        let button = window
            .query_all_by_role_and_label(Role::Button, name)
            .next();
        button.is_some_and(|button| !button.accesskit_node().is_disabled())
    });
    window.run_ok();
}

/// Presses the first button of this name.
#[track_caller]
fn press(window: &mut Harness<'static, App>, name: &str) {
    settle(window, name);
    window
        .get_all_by_role_and_label(Role::Button, name)
        .next()
        .expect("just seen")
        .click();
    window.step();
}

#[test]
fn a_backup_is_made_restored_and_deleted() {
    let desk = Desk::new();
    desk.write("photos/summer/sea.txt", b"blue");
    desk.write("photos/summer/sky.bin", &vec![7; 100_000]);
    desk.write("photos/empty.txt", b"");
    let mut window = desk.window(desk.config());
    wait(&mut window, "an empty list", |w| shows(w, "No backups yet"));

    press(&mut window, "Back up now");
    wait(&mut window, "a row", |w| has_button(w, "Restore…"));
    assert!(shows(&window, "Backed up 3 files"), "{:?}", texts(&window));
    assert!(shows(&window, "desk"), "{:?}", texts(&window));
    assert_eq!(desk.archives().len(), 1);

    press(&mut window, "Restore…");
    wait(&mut window, "the dialog", |w| {
        shows(w, "Restore this backup")
    });
    settle(&mut window, "Cancel");
    let original = desk.path("photos").display().to_string();
    wait(&mut window, "the folders by name", |w| {
        // Once among the folders to back up, once in the dialog.
        w.query_all_by_label(&original).count() == 2
    });
    window
        .get_by_role_and_label(Role::RadioButton, "To a folder")
        .click();
    window.run();
    let target = desk.path("elsewhere");
    window
        .get_by_label("Folder to restore to")
        .set_text_value_accesskit(&target.display().to_string());
    window.run();
    // What comes into the dialog moves the button.
    wait(&mut window, "what would happen", |w| shows(w, "3 new"));
    press(&mut window, "Restore");
    wait(&mut window, "the end", |w| shows(w, "Restored 3 files"));
    assert_eq!(tree(&target.join("photos")), tree(&desk.path("photos")));

    press(&mut window, "Delete");
    wait(&mut window, "the question", |w| {
        shows(w, "This cannot be undone")
    });
    assert_eq!(
        desk.archives().len(),
        1,
        "nothing is deleted before the answer"
    );
    press(&mut window, "Delete backup");
    wait(&mut window, "no row", |w| shows(w, "No backups yet"));
    assert!(shows(&window, "Backup deleted"), "{:?}", texts(&window));
    assert!(desk.archives().is_empty());
}

/// Types into the field of this name, as a person who leaves it afterwards.
fn fill(window: &mut Harness<'static, App>, name: &str, text: &str) {
    window.get_by_label(name).focus();
    window.step();
    window.get_by_label(name).type_text(text);
    window.step();
    window.key_press(egui::Key::Tab);
    window.step();
}

#[test]
fn a_bucket_is_set_up_tested_backed_up_to_restored_from_and_cleaned() {
    for server in support::every_server() {
        let desk = Desk::new();
        desk.write("photos/summer/sea.txt", b"blue");
        desk.write("photos/big.bin", &support::noise(1, 20 << 20));
        let mut window = desk.window(desk.config());
        wait(&mut window, "an empty list", |w| shows(w, "No backups yet"));
        window
            .get_by_role_and_label(Role::ComboBox, "Provider")
            .click();
        window.run();
        window.get_by_label("MinIO").click();
        window.run();
        for (field, text) in [
            ("Endpoint", &server.endpoint_url),
            ("Region", &server.region),
            ("Bucket", &server.bucket),
            ("Access Key ID", &server.access_key_id),
            ("Secret Access Key", &server.secret_access_key),
            ("Root path", &"my/photos".to_owned()),
        ] {
            fill(&mut window, field, text);
        }
        press(&mut window, "Test connection");
        wait(&mut window, "the verdict", |w| {
            shows(w, "The connection works")
        });
        press(&mut window, "Back up now");
        wait(&mut window, "a row", |w| has_button(w, "Restore…"));
        assert!(shows(&window, "Backed up 2 files"), "{:?}", texts(&window));
        let keys = support::object_keys(&server);
        assert!(keys[0].starts_with("my/photos/default."), "{keys:?}");

        fs::remove_dir_all(desk.path("photos/summer")).expect("removed");
        press(&mut window, "Restore…");
        wait(&mut window, "the dialog", |w| {
            shows(w, "Restore this backup")
        });
        wait(&mut window, "what would happen", |w| {
            shows(w, "1 new · 1 there already")
        });
        press(&mut window, "Restore");
        wait(&mut window, "the end", |w| shows(w, "Restored 1 file"));
        assert!(shows(&window, "1 file was there already"));
        let restored = tree(&desk.path("photos"));
        assert_eq!(restored[Path::new("summer/sea.txt")], b"blue");

        press(&mut window, "Delete");
        wait(&mut window, "the question", |w| {
            shows(w, "This cannot be undone")
        });
        press(&mut window, "Delete backup");
        wait(&mut window, "no row", |w| shows(w, "No backups yet"));
        let keys = support::object_keys(&server);
        assert!(keys.iter().all(|key| key.ends_with('/')), "{keys:?}");
        let none: [&str; 0] = [];
        assert_eq!(support::unfinished_uploads(&server), none);

        // What was typed was kept, and the secret not among the settings.
        let config = Config::load(&desk.places()).expect("settings");
        assert!(
            matches!(&config.profiles[0].destination, Destination::S3(s3) if s3.bucket == server.bucket)
        );
        let settings = fs::read_to_string(desk.places().config_file()).expect("settings");
        assert!(!settings.contains(&server.secret_access_key));
    }
}

#[test]
fn every_control_has_its_visible_text_as_its_name() {
    let desk = Desk::new();
    let mut config = desk.config();
    config.profiles[0].destination = Destination::S3(S3Destination {
        provider: Provider::MINIO,
        ..S3Destination::default()
    });
    let mut window = desk.window(config);
    window.run();
    for (role, name) in [
        (Role::ComboBox, "Profile"),
        (Role::ComboBox, "Provider"),
        (Role::TextInput, "Endpoint"),
        (Role::TextInput, "Region"),
        (Role::TextInput, "Bucket"),
        (Role::TextInput, "Access Key ID"),
        (Role::PasswordInput, "Secret Access Key"),
        (Role::TextInput, "Root path"),
        (Role::Button, "Test connection"),
        (Role::Button, "Add folder…"),
        (Role::Button, "Add a program's data"),
        (Role::TextInput, "Another folder"),
        (Role::Button, "Add"),
        (Role::MultilineTextInput, "Leave out"),
        (Role::Button, "Refresh"),
        (Role::Button, "Back up now"),
        (Role::Button, "More"),
        (Role::Button, "Change"),
        (Role::Button, "New profile…"),
        (Role::Button, "Remove profile…"),
    ] {
        assert!(
            window.query_by_role_and_label(role, name).is_some(),
            "no {role:?} named {name:?} among {:?}",
            texts(&window)
        );
    }
    let remove = format!("Remove {}", desk.path("photos").display());
    assert!(has_button(&window, &remove), "{:?}", texts(&window));
    window
        .get_by_role_and_label(Role::ComboBox, "Provider")
        .click();
    window.run();
    for provider in Provider::all() {
        assert!(shows(&window, provider.title()), "{:?}", texts(&window));
    }
    window.get_by_label("This computer (folder)").click();
    window.run();
    assert!(
        window
            .query_by_role_and_label(Role::TextInput, "Folder")
            .is_some(),
        "{:?}",
        texts(&window)
    );
}

#[test]
fn a_failed_job_says_what_to_do_and_gives_its_details() {
    let desk = Desk::new();
    // The folder to back up is not there.
    let mut window = desk.window(desk.config());
    wait(&mut window, "an empty list", |w| shows(w, "No backups yet"));
    press(&mut window, "Back up now");
    wait(&mut window, "the notice", |w| {
        shows(w, "cannot be backed up")
    });
    assert!(shows(&window, "Check that the folder exists"));
    assert!(desk.archives().is_empty());

    window
        .get_by_role_and_label(Role::Button, "Copy details")
        .click();
    window.step();
    let copied = window.output().platform_output.commands.iter().any(|command| {
        matches!(command, egui::OutputCommand::CopyText(text) if text.contains("kind: source"))
    });
    assert!(copied, "{:?}", window.output().platform_output.commands);

    press(&mut window, "Dismiss");
    wait(&mut window, "no notice", |w| {
        !shows(w, "cannot be backed up")
    });
}

#[test]
fn a_cancelled_backup_leaves_nothing_behind() {
    let desk = Desk::new();
    // Enough for a second or so, and not compressible.
    let mut noise = 1_u64;
    let mut content = Vec::with_capacity(64 * 1024);
    while content.len() < 64 * 1024 {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        content.extend(noise.to_le_bytes());
    }
    for number in 0..2_000 {
        desk.write(&format!("photos/{number}.bin"), &content);
    }
    let mut window = desk.window(desk.config());
    wait(&mut window, "an empty list", |w| shows(w, "No backups yet"));
    press(&mut window, "Back up now");
    press(&mut window, "Cancel");
    wait(&mut window, "the notice", |w| {
        shows(w, "Backup cancelled. Nothing was left behind.")
    });
    assert!(desk.archives().is_empty());
    wait(&mut window, "the strip to go", |w| !has_button(w, "Cancel"));
    assert!(shows(&window, "No backups yet"), "{:?}", texts(&window));
}

#[test]
fn the_window_rests_when_nothing_happens() {
    let desk = Desk::new();
    desk.write("photos/a.txt", b"a");
    let mut window = desk.window(desk.config());
    wait(&mut window, "an empty list", |w| shows(w, "No backups yet"));
    press(&mut window, "Back up now");
    wait(&mut window, "a row", |w| has_button(w, "Restore…"));
    window.remove_cursor();
    wait(&mut window, "rest", |w| {
        let mut outputs = w.output().viewport_output.values();
        outputs.all(|output| output.repaint_delay == Duration::MAX)
    });
    // One more frame, which somebody else asked for, asks for no other.
    assert_eq!(window.run(), 1, "{:?}", window.ctx.repaint_causes());
}

#[test]
fn what_is_typed_is_saved_and_the_secret_apart_from_it() {
    let desk = Desk::new();
    let mut config = desk.config();
    config.profiles[0].destination = Destination::S3(S3Destination {
        provider: Provider::MINIO,
        ..S3Destination::default()
    });
    let mut window = desk.window(config);
    window.run();
    window
        .get_by_label("Bucket")
        .set_text_value_accesskit("family");
    window
        .get_by_label("Secret Access Key")
        .set_text_value_accesskit("hunter2hunter2");
    window.step();
    wait(&mut window, "the settings on disk", |_| {
        let saved = Config::load(&desk.places()).expect("readable");
        let secret = fs::read_to_string(desk.path("data/secrets.json")).unwrap_or_default();
        matches!(&saved.profiles[0].destination, Destination::S3(s3) if s3.bucket == "family")
            && secret.contains("hunter2hunter2")
    });
    let settings = fs::read_to_string(desk.places().config_file()).expect("readable");
    assert!(!settings.contains("hunter2"), "{settings}");
}

#[test]
fn what_the_terminal_adds_meanwhile_is_not_lost() {
    let desk = Desk::new();
    desk.config().save(&desk.places()).expect("saved");
    let mut window = desk.window(desk.config());
    wait(&mut window, "an empty list", |w| shows(w, "No backups yet"));
    let mut by_terminal = Config::load(&desk.places()).expect("settings");
    let profile = Profile {
        name: "from-terminal".to_owned(),
        ..by_terminal.profiles[0].clone()
    };
    by_terminal.add_profile(profile).expect("a new name");
    by_terminal.save(&desk.places()).expect("saved");
    window
        .get_by_label("Another folder")
        .set_text_value_accesskit(&desk.path("music").display().to_string());
    window.run();
    press(&mut window, "Add");
    wait(&mut window, "the change on disk", |_| {
        let saved = Config::load(&desk.places()).expect("settings");
        saved.profiles[0].sources.contains(&desk.path("music"))
    });
    let saved = Config::load(&desk.places()).expect("settings");
    assert!(saved.profile("from-terminal").is_some(), "{saved:?}");
}

#[test]
fn how_the_window_looks_is_kept() {
    let desk = Desk::new();
    let mut window = desk.window(desk.config());
    window.run();
    window.get_by_label("Dark").click();
    window.run();
    wait(&mut window, "the choice on disk", |_| {
        Config::load(&desk.places()).is_ok_and(|saved| saved.appearance == Appearance::Dark)
    });
    let saved = Config::load(&desk.places()).expect("settings");
    let mut again = desk.window(saved);
    again.run();
    assert_eq!(again.ctx.theme(), egui::Theme::Dark);
}

#[test]
fn folders_are_added_by_their_path_and_removed() {
    let desk = Desk::new();
    let mut config = desk.config();
    config.profiles[0].sources.clear();
    let mut window = desk.window(config);
    wait(&mut window, "the reason", |w| {
        shows(w, "Add a folder to back up first.")
    });
    for (typed, is_taken) in [("relative/path", false), ("", true)] {
        let typed = if is_taken {
            desk.path("music").display().to_string()
        } else {
            typed.to_owned()
        };
        window
            .get_by_label("Another folder")
            .set_text_value_accesskit(&typed);
        window.run();
        press(&mut window, "Add");
        window.run();
        let remove = format!("Remove {typed}");
        assert_eq!(has_button(&window, &remove), is_taken, "{typed}");
    }
    let remove = format!("Remove {}", desk.path("music").display());
    press(&mut window, &remove);
    wait(&mut window, "the reason", |w| {
        shows(w, "Add a folder to back up first.")
    });
}

#[test]
fn profiles_are_made_shown_and_removed() {
    let desk = Desk::new();
    let mut window = desk.window(desk.config());
    window.run();
    press(&mut window, "New profile…");
    window.run();
    let name = window.get_by_label("Name of the profile");
    name.set_text_value_accesskit("two words");
    window.run();
    assert!(shows(&window, "letters, digits"), "{:?}", texts(&window));
    window
        .get_by_label("Name of the profile")
        .set_text_value_accesskit("music");
    window.run();
    press(&mut window, "Create profile");
    wait(&mut window, "the new profile on disk", |_| {
        Config::load(&desk.places()).is_ok_and(|saved| saved.active_profile == "music")
    });
    assert!(shows(&window, "Add a folder to back up first."));
    press(&mut window, "Remove profile…");
    press(&mut window, "Remove profile");
    wait(&mut window, "the old profile on disk", |_| {
        Config::load(&desk.places()).is_ok_and(|saved| saved.profiles.len() == 1)
    });
    assert!(!shows(&window, "Add a folder to back up first."));
}

#[test]
fn a_backup_is_verified_and_damage_is_named_with_what_to_do() {
    let desk = Desk::new();
    let content = support::noise(1, 50_000);
    desk.write("photos/sea.bin", &content);
    desk.write("photos/sky.txt", b"blue");
    let mut window = desk.window(desk.config());
    wait(&mut window, "an empty list", |w| shows(w, "No backups yet"));
    press(&mut window, "Back up now");
    wait(&mut window, "a row", |w| has_button(w, "Verify…"));

    press(&mut window, "Verify…");
    press(&mut window, "Verify");
    wait(&mut window, "the end", |w| {
        shows(w, "Whole: 3 files and folders")
    });

    let archive = desk.path("store").join(&desk.archives()[0]);
    let mut bytes = fs::read(&archive).expect("read");
    let found = bytes.windows(64).position(|part| *part == content[..64]);
    bytes[found.expect("stored as it is") + 10] ^= 1;
    fs::write(&archive, &bytes).expect("written");
    press(&mut window, "Verify…");
    settle(&mut window, "Verify");
    window
        .get_by_role_and_label(Role::RadioButton, "Read only what it lists")
        .click();
    window.run();
    press(&mut window, "Verify");
    wait(&mut window, "the end", |w| {
        shows(w, "The end, the directory and the manifest are whole")
    });
    assert!(!shows(&window, "Whole"), "older news is gone");

    press(&mut window, "Verify…");
    press(&mut window, "Verify");
    wait(&mut window, "the damage", |w| {
        shows(w, "Damaged: “photos/sea.bin”")
    });
    for said in ["3 files and folders", "Keep it"] {
        assert!(shows(&window, said), "{:?}", texts(&window));
    }
    assert!(has_button(&window, "Copy details"));
}

#[test]
fn how_backups_are_made_is_chosen_and_kept_and_the_terminals_choice_taken_over() {
    let desk = Desk::new();
    desk.config().save(&desk.places()).expect("saved");
    let mut window = desk.window(desk.config());
    wait(&mut window, "what is chosen", |w| {
        shows(w, "Normal compression\nNo backup when nothing changed")
    });
    press(&mut window, "Change");
    window.run_ok();
    for choice in ["Small", "Make one all the same"] {
        window
            .get_by_role_and_label(Role::RadioButton, choice)
            .click();
        window.run_ok();
    }
    wait(&mut window, "the choice on disk", |_| {
        let saved = Config::load(&desk.places()).expect("settings");
        let profile = &saved.profiles[0];
        profile.compression == Compression::Small && profile.when_unchanged == WhenUnchanged::BackUp
    });
    press(&mut window, "Done");
    wait(&mut window, "what is chosen", |w| {
        shows(w, "Small compression\nA backup also when nothing changed")
    });

    let mut by_terminal = Config::load(&desk.places()).expect("settings");
    by_terminal.profiles[0].compression = Compression::Fast;
    by_terminal.save(&desk.places()).expect("saved");
    window.get_by_label("Dark").click();
    wait(&mut window, "the terminal's choice", |w| {
        shows(w, "Fast compression\nA backup also when nothing changed")
    });
}

#[test]
fn deleted_data_is_removed_by_a_new_backup_after_a_question() {
    let desk = Desk::new();
    desk.write("photos/a.txt", b"a");
    let mut window = desk.window(desk.config());
    wait(&mut window, "an empty list", |w| shows(w, "No backups yet"));
    press(&mut window, "More");
    press(&mut window, "Remove deleted data now…");
    wait(&mut window, "the question", |w| {
        shows(w, "Earlier backups still hold it")
    });
    assert!(desk.archives().is_empty(), "nothing before the answer");
    press(&mut window, "Back up without it");
    wait(&mut window, "the end", |w| shows(w, "Backed up 1 file"));
    press(&mut window, "More");
    press(&mut window, "Back up even if nothing changed");
    wait(&mut window, "a second row", |_| desk.archives().len() == 2);
}
