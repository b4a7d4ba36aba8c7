//! Looking inside, restoring what was chosen, and undoing it, by clicks.

use super::{Desk, has_button, press, settle, shows, texts, tree, wait};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use std::fs;
use std::path::Path;
use zipkeep::gui::App;

/// A desk with one backup of three files, and its window.
fn backed_up() -> (Desk, Harness<'static, App>) {
    let desk = Desk::new();
    desk.write("photos/summer/sea.txt", b"blue");
    desk.write("photos/summer/sky.txt", b"grey");
    desk.write("photos/winter.txt", b"white");
    let mut window = desk.window(desk.config());
    wait(&mut window, "an empty list", |w| shows(w, "No backups yet"));
    press(&mut window, "Back up now");
    wait(&mut window, "a row", |w| has_button(w, "Restore…"));
    (desk, window)
}

#[track_caller]
fn open(window: &mut Harness<'static, App>) {
    press(window, "Open");
    wait(window, "the tree", |w| shows(w, "Choose photos"));
    window.run_ok();
}

#[track_caller]
fn tick(window: &mut Harness<'static, App>, path: &str) {
    let name = format!("Choose {path}");
    wait(window, &name, |w| shows(w, &name));
    window.get_by_role_and_label(Role::CheckBox, &name).click();
    window.run_ok();
}

#[test]
fn one_file_is_found_chosen_and_restored_and_the_restore_undone() {
    let (desk, mut window) = backed_up();
    desk.write("photos/summer/sea.txt", b"black");
    desk.write("photos/winter.txt", b"brown");
    open(&mut window);
    assert!(shows(&window, "3 files"), "{:?}", texts(&window));
    assert!(shows(&window, "Nothing is chosen"));
    assert!(
        !shows(&window, "Choose photos/summer/sea.txt"),
        "folders are closed"
    );

    window
        .get_by_role_and_label(Role::TextInput, "Search names")
        .set_text_value_accesskit("SEA");
    window.run_ok();
    tick(&mut window, "photos/summer/sea.txt");
    assert!(!shows(&window, "Choose photos/winter.txt"));
    assert!(
        shows(&window, "1 file chosen, 4 bytes"),
        "{:?}",
        texts(&window)
    );
    press(&mut window, "Restore chosen…");
    wait(&mut window, "what would happen", |w| shows(w, "1 replaced"));
    assert!(shows(&window, "Restore what you chose"));
    press(&mut window, "Restore");
    wait(&mut window, "the end", |w| shows(w, "Restored 1 file"));
    let now = tree(&desk.path("photos"));
    assert_eq!(now[Path::new("summer/sea.txt")], b"blue");
    assert_eq!(now[Path::new("winter.txt")], b"brown", "it was not chosen");

    press(&mut window, "Undo restore");
    wait(&mut window, "the end", |w| shows(w, "as it was before"));
    assert_eq!(
        tree(&desk.path("photos"))[Path::new("summer/sea.txt")],
        b"black"
    );
    assert!(
        !has_button(&window, "Undo restore"),
        "it can be undone once"
    );
}

#[test]
fn what_would_happen_is_looked_at_anew_each_time_the_dialog_opens() {
    let (desk, mut window) = backed_up();
    desk.write("photos/winter.txt", b"brown");
    press(&mut window, "Restore…");
    wait(&mut window, "what would happen", |w| {
        shows(w, "1 replaced · 2 there already")
    });
    press(&mut window, "Cancel");
    window.run_ok();
    desk.write("photos/summer/sea.txt", b"black");
    press(&mut window, "Restore…");
    wait(&mut window, "what would happen now", |w| {
        shows(w, "2 replaced · 1 there already")
    });
}

#[test]
fn an_undo_respects_what_changed_since_and_can_be_made_all_the_same() {
    let (desk, mut window) = backed_up();
    desk.write("photos/winter.txt", b"brown");
    press(&mut window, "Restore…");
    wait(&mut window, "what would happen", |w| {
        shows(w, "1 replaced · 2 there already")
    });
    press(&mut window, "Restore");
    wait(&mut window, "the end", |w| shows(w, "Restored 1 file"));
    desk.write("photos/winter.txt", b"green, later");

    press(&mut window, "More");
    window.run_ok();
    press(&mut window, "Undo a restore…");
    wait(&mut window, "the list", |w| shows(w, "1 file put"));
    press(&mut window, "Undo");
    wait(&mut window, "the refusal", |w| shows(w, "changed since"));
    press(&mut window, "Close");
    let now = tree(&desk.path("photos"));
    assert_eq!(now[Path::new("winter.txt")], b"green, later");

    press(&mut window, "Undo all the same");
    wait(&mut window, "the end", |w| shows(w, "as it was before"));
    assert!(shows(&window, "what was changed since is kept in"));
    assert_eq!(
        tree(&desk.path("photos"))[Path::new("winter.txt")],
        b"brown"
    );
}

#[test]
fn what_changed_between_two_backups_is_told() {
    let (desk, mut window) = backed_up();
    desk.write("photos/winter.txt", b"very white");
    desk.write("photos/autumn.txt", b"red");
    fs::remove_file(desk.path("photos/summer/sky.txt")).expect("removed");
    press(&mut window, "Dismiss");
    press(&mut window, "Back up now");
    wait(&mut window, "two rows", |w| {
        w.query_all_by_role_and_label(Role::Button, "Open").count() == 2
    });
    open(&mut window);
    press(&mut window, "What changed");
    wait(&mut window, "the changes", |w| shows(w, "1 added"));
    let told = "1 added (3 bytes) · 1 changed (10 bytes) · 1 removed (4 bytes)";
    assert!(shows(&window, told), "{:?}", texts(&window));
    assert!(shows(&window, "photos/autumn.txt"));
    assert!(shows(&window, "5 bytes to 10 bytes"));
    press(&mut window, "‹ Backups");
    wait(&mut window, "the table", |w| has_button(w, "Back up now"));
}

#[test]
fn a_backup_of_another_computer_asks_where_each_folder_goes() {
    let (desk, window) = backed_up();
    drop(window);
    let mut config = desk.config();
    config.device = "laptop".to_owned();
    let mut window = desk.window(config);
    wait(&mut window, "a row", |w| has_button(w, "Restore…"));
    press(&mut window, "Restore…");
    let field = format!("photos, which was {}", desk.path("photos").display());
    wait(&mut window, "the field", |w| shows(w, &field));
    assert!(shows(
        &window,
        "It was made on desk; this computer is laptop."
    ));
    let target = desk.path("mine");
    window
        .get_by_role_and_label(Role::TextInput, &field)
        .set_text_value_accesskit(&target.display().to_string());
    window.run_ok();
    wait(&mut window, "what would happen", |w| shows(w, "3 new"));
    settle(&mut window, "Restore");
    press(&mut window, "Restore");
    wait(&mut window, "the end", |w| shows(w, "Restored 3 files"));
    assert_eq!(tree(&target), tree(&desk.path("photos")));
}

/// An archive as Cherry Studio 1.9 makes it.
fn cherry_studio_archive() -> Vec<u8> {
    let metadata = br#"{"version":6,"timestamp":1767229323000,"appName":"Cherry Studio","appVersion":"1.9.3","platform":"darwin","arch":"arm64"}"#;
    let entries: [(&str, &[u8]); 4] = [
        ("metadata.json", metadata),
        (
            "IndexedDB/file__0.indexeddb.leveldb/CURRENT",
            b"MANIFEST-000007\n",
        ),
        (
            "IndexedDB/file__0.indexeddb.leveldb/MANIFEST-000007",
            b"new manifest",
        ),
        ("Data/Files/a.png", b"a picture"),
    ];
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in entries {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(name, options).expect("begun");
        std::io::Write::write_all(&mut zip, content).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

#[test]
fn an_archive_of_cherry_studio_goes_into_its_data_folder_and_out_again() {
    let desk = Desk::new();
    desk.write(
        "store/cherry-studio.20260101120000.mac.mac.zip",
        &cherry_studio_archive(),
    );
    let database = "CherryStudio/IndexedDB/file__0.indexeddb.leveldb";
    desk.write(&format!("{database}/CURRENT"), b"MANIFEST-000100\n");
    desk.write(&format!("{database}/000101.log"), b"old log");
    desk.write("CherryStudio/Data/Files/mine.png", b"mine");
    let before = tree(&desk.path("CherryStudio"));
    let mut window = desk.window(desk.config());
    wait(&mut window, "its row", |w| has_button(w, "Restore…"));
    press(&mut window, "Restore…");
    let choice = "Into the data folder of Cherry Studio";
    wait(&mut window, "the choice", |w| shows(w, choice));
    window
        .get_by_role_and_label(Role::RadioButton, choice)
        .click();
    window.run_ok();
    window
        .get_by_role_and_label(Role::TextInput, "Data folder")
        .set_text_value_accesskit(&desk.path("CherryStudio").display().to_string());
    window.run_ok();
    wait(&mut window, "what would happen", |w| shows(w, "1 replaced"));
    settle(&mut window, "Restore");
    press(&mut window, "Restore");
    wait(&mut window, "the end", |w| has_button(w, "Undo restore"));
    let now = tree(&desk.path("CherryStudio"));
    let of_database = |name: &str| {
        let path = Path::new("IndexedDB/file__0.indexeddb.leveldb").join(name);
        now.get(&path).map(Vec::as_slice)
    };
    assert_eq!(of_database("CURRENT"), Some(&b"MANIFEST-000007\n"[..]));
    assert_eq!(
        of_database("000101.log"),
        None,
        "a database is replaced whole"
    );
    assert_eq!(now[Path::new("Data/Files/mine.png")], b"mine");
    press(&mut window, "Undo restore");
    wait(&mut window, "the end", |w| shows(w, "as it was before"));
    assert_eq!(tree(&desk.path("CherryStudio")), before);
}
