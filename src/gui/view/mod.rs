//! Drawing only: functions `x_ui(ui, &State, &mut its form, &mut Commands)`, and no file, network or
//! runtime within their reach.

mod backups_table;
mod destination_form;
mod dialog_parts;
mod dialogs;
mod folders_form;
mod frame;
mod header;
mod how_form;
mod job_strip;
mod notices;
mod restore_dialog;
mod side_panel;
mod test_report;
mod verify_dialog;
mod widgets;

pub(crate) use frame::frame_ui;
