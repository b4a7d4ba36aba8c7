//! Makes complete requests of what the state holds now, and starts them as jobs.

use super::launch::{connection, keep_out, launch, refuse};
use super::{Core, settings};
use crate::engine::{
    BackupOptions, BackupRequest, DeletedData, Earlier, VerifyDepth, VerifyRequest,
};
use crate::gui::command::BackUpManner;
use crate::gui::forms::ProfileForm;
use crate::gui::job::{FolderPurpose, Job, JobKind};
use crate::gui::work;
use crate::model::{Backup, Destination, Profile, WhenUnchanged};

/// Tests the destination.
pub(crate) fn test(core: &mut Core) {
    settings::finish_form(core);
    if core.state.running(JobKind::Test).is_some() {
        return;
    }
    core.state.test = None;
    if let Some(problem) = core.state.destination_problem() {
        refuse(core, JobKind::Test, problem);
        return;
    }
    let connection = connection(core);
    let subject = connection.profile.clone();
    launch(core, JobKind::Test, &subject, |context| {
        work::test(connection, context)
    });
}

/// Changes the settings to what the test has found, and tests again.
pub(crate) fn correct_settings(core: &mut Core) {
    let Some(learnt) = core.state.test.take().map(|report| report.learnt) else {
        return;
    };
    let mut profile = core.state.profile().clone();
    if let Destination::S3(s3) = &mut profile.destination {
        learnt.correct(s3);
        settings::put_profile(core, profile);
        core.forms.profile = ProfileForm::of(core.state.profile());
        test(core);
    }
}

/// Removes unfinished uploads from the destination.
pub(crate) fn clean_up(core: &mut Core) {
    if core.state.running(JobKind::CleanUp).is_some() {
        return;
    }
    let connection = connection(core);
    let subject = connection.profile.clone();
    launch(core, JobKind::CleanUp, &subject, |context| {
        work::clean_up(connection, context)
    });
}

/// Backs up.
pub(crate) fn backup(core: &mut Core, manner: BackUpManner) {
    settings::finish_form(core);
    if let Some(problem) = core.state.backup_problem() {
        refuse(core, JobKind::Backup, problem);
        return;
    }
    let connection = connection(core);
    let profile = core.state.profile();
    let keep_out = keep_out(core);
    let request = BackupRequest {
        profile: profile.name.clone(),
        device: core.state.device.clone(),
        sources: profile.sources.clone(),
        excludes: profile.excludes.clone(),
        keep_out,
        options: options(profile, manner),
    };
    let subject = connection.profile.clone();
    launch(core, JobKind::Backup, &subject, |context| {
        work::backup(connection, request, context)
    });
}

fn options(profile: &Profile, manner: BackUpManner) -> BackupOptions {
    let as_set = BackupOptions {
        compression: profile.compression,
        when_unchanged: profile.when_unchanged,
        deleted_data: DeletedData::UntilWorthIt,
        earlier: Earlier::TakenOver,
    };
    match manner {
        BackUpManner::AsSet => as_set,
        BackUpManner::EvenUnchanged => BackupOptions {
            when_unchanged: WhenUnchanged::BackUp,
            ..as_set
        },
        BackUpManner::RemoveDeleted => BackupOptions {
            deleted_data: DeletedData::RemoveNow,
            ..as_set
        },
        BackUpManner::Anew => BackupOptions {
            earlier: Earlier::NotTrusted,
            ..as_set
        },
    }
}

/// Reads a backup back and compares.
pub(crate) fn verify(core: &mut Core, backup: &Backup, depth: VerifyDepth) {
    if let Some(problem) = core.state.busy_reason() {
        refuse(core, JobKind::Verify, problem);
        return;
    }
    let connection = connection(core);
    let request = VerifyRequest {
        key: backup.key.clone(),
        depth,
    };
    launch(core, JobKind::Verify, &backup.name, |context| {
        work::verify(connection, request, context)
    });
}

/// Removes a backup.
pub(crate) fn delete(core: &mut Core, backup: &Backup) {
    if let Some(problem) = core.state.busy_reason() {
        refuse(core, JobKind::Delete, problem);
        return;
    }
    let connection = connection(core);
    let key = backup.key.clone();
    launch(core, JobKind::Delete, &backup.name, |context| {
        work::delete(connection, key, context)
    });
}

/// Shows the system's dialog for folders, one at a time.
pub(crate) fn pick_folder(core: &mut Core, purpose: FolderPurpose) {
    let kind = JobKind::PickFolder(purpose);
    let is_open = |job: &Job| matches!(job.kind, JobKind::PickFolder(_));
    if core.state.jobs.iter().any(is_open) {
        return;
    }
    let title = match purpose {
        FolderPurpose::Source => "Choose a folder to back up",
        FolderPurpose::Destination => "Choose the folder to keep backups in",
        FolderPurpose::CaCertificate => "Choose the file with the CA certificate",
        FolderPurpose::Restore | FolderPurpose::RestoreApp | FolderPurpose::RestorePlace(_) => {
            "Choose the folder to restore to"
        }
    };
    let wanted = match purpose {
        FolderPurpose::CaCertificate => work::Wanted::Certificate,
        _ => work::Wanted::Folder,
    };
    launch(core, kind, title, |context| {
        work::pick(wanted, title, context)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Compression, Destination, FolderDestination};

    #[test]
    fn each_manner_changes_one_thing_of_what_the_profile_says() {
        let profile = Profile {
            name: "p".to_owned(),
            sources: Vec::new(),
            excludes: Vec::new(),
            compression: Compression::Small,
            when_unchanged: WhenUnchanged::Skip,
            destination: Destination::Folder(FolderDestination::default()),
        };
        for (manner, when_unchanged, deleted_data) in [
            (
                BackUpManner::AsSet,
                WhenUnchanged::Skip,
                DeletedData::UntilWorthIt,
            ),
            (
                BackUpManner::EvenUnchanged,
                WhenUnchanged::BackUp,
                DeletedData::UntilWorthIt,
            ),
            (
                BackUpManner::RemoveDeleted,
                WhenUnchanged::Skip,
                DeletedData::RemoveNow,
            ),
        ] {
            let expected = BackupOptions {
                compression: Compression::Small,
                when_unchanged,
                deleted_data,
                earlier: Earlier::TakenOver,
            };
            assert_eq!(options(&profile, manner), expected);
        }
        let anew = options(&profile, BackUpManner::Anew);
        assert_eq!(anew.earlier, Earlier::NotTrusted);
    }
}
