//! Drawing only: functions `x_ui(ui, &State, &mut its form, &mut Commands)`, and no file, network or
//! runtime within their reach.

mod advanced_form;
mod backups_table;
mod bucket_form;
mod destination_form;
mod dialog_parts;
mod dialogs;
mod folders_form;
mod foresight;
mod frame;
mod header;
mod how_form;
mod inside_changes;
mod inside_page;
mod inside_tree;
mod job_strip;
mod keys_form;

mod note_edit;
mod notices;
mod restore_dialog;
mod restores_dialog;
mod side_panel;
mod suggested_field;
mod test_report;
mod verify_dialog;
mod widgets;

pub(crate) use frame::frame_ui;
