//! Parts that arrived after one that did not.

use crate::MIB;
use crate::computer::{Computer, Destination, number};
use crate::support::{Fault, Moment, Proxy, SeaweedFs, Step, When, noise, write_file};
use std::path::Path;
use std::time::Duration;

/// Longer than a test.
const STALL: Duration = Duration::from_mins(5);
const PATIENCE: Duration = Duration::from_mins(1);

/// Answers of the server after which the program is killed.
const ANSWERED: u64 = 8;
/// Answered, but perhaps not yet noted: one of four lanes is stalled.
const IN_FLIGHT: u64 = 3;
const A_BYTES: usize = 60 << 20;
const B_BYTES: usize = 20 << 20;

/// Kills a first backup of two files when most of its parts have arrived, but one of the first not.
/// Gives what the next run has sent, and what it need not send again.
fn kill_at_gap(between: impl FnOnce(&Path)) -> Option<(u64, u64)> {
    let server = SeaweedFs::shared()?;
    let proxy = Proxy::in_front_of(&server);
    let through = proxy.server();
    let computer = Computer::new(Destination::Bucket(&through));
    write_file(&computer.source(), "a.bin", &noise(1, A_BYTES));
    write_file(&computer.source(), "b.bin", &noise(2, B_BYTES));
    computer.add_profile("p");
    let second = When::Nth(2);
    proxy.break_steps(&[Step::UploadPart], Fault::StallInRequest(STALL), second);
    computer.kill_backup_when("p", || {
        let have = proxy.wait_for(Step::UploadPart, ANSWERED, Moment::Answered, PATIENCE);
        assert!(have, "{}", proxy.seen());
    });
    proxy.heal();
    between(&computer.source());
    let report = computer.run("p", &["backup"], "after the kill");
    computer.check_restore("p", "afterwards");
    assert_eq!(computer.half_made("p"), [""; 0]);
    let sent = number(&report, "bytes_uploaded");
    Some((sent, number(&report, "bytes_resumed")))
}

#[test]
fn parts_that_arrived_after_one_that_did_not_are_not_sent_again() {
    let Some((sent, resumed)) = kill_at_gap(|_| {}) else {
        return;
    };
    let all_bytes = (A_BYTES + B_BYTES) as u64;
    assert!(resumed >= (ANSWERED - IN_FLIGHT) * 8 * MIB, "{resumed}");
    let both = sent + resumed;
    assert!(
        (all_bytes..all_bytes + MIB).contains(&both),
        "{sent} {resumed}"
    );
}

#[test]
fn parts_after_a_gap_whose_bytes_have_changed_are_sent_again() {
    let changed = |source: &Path| write_file(source, "a.bin", &noise(3, A_BYTES));
    let Some((sent, _)) = kill_at_gap(changed) else {
        return;
    };
    assert!(sent >= A_BYTES as u64, "{sent}");
}
