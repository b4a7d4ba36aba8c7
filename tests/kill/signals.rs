//! Asked to end by the system, the program leaves what the next run goes on with; cancelled by the
//! person, it leaves nothing.

use crate::MIB;
use crate::computer::{Computer, Destination, number};
use crate::support::{Fault, Moment, Proxy, SeaweedFs, Step, When, noise, write_file};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Longer than a test.
const STALL: Duration = Duration::from_mins(5);
const PATIENCE: Duration = Duration::from_mins(1);
/// What the program ends with when it was asked to.
const ENDED_BY_SIGNAL: i32 = 130;

/// Sends a signal to a first backup of which two parts have arrived. Gives how many unfinished uploads
/// there are afterwards, and how much the next run need not send again.
fn signalled(signal: &str) -> Option<(usize, u64)> {
    let server = SeaweedFs::shared()?;
    let proxy = Proxy::in_front_of(&server);
    let through = proxy.server();
    let computer = Computer::new(Destination::Bucket(&through));
    write_file(&computer.source(), "a.bin", &noise(1, 30 << 20));
    let profile = format!("signalled-{signal}");
    computer.add_profile(&profile);
    let later = When::PartAfter(2);
    proxy.break_steps(&[Step::UploadPart], Fault::StallInRequest(STALL), later);
    let mut child = computer
        .command(&["--profile", &profile, "backup"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let have = proxy.wait_for(Step::UploadPart, 2, Moment::Answered, PATIENCE);
    assert!(have, "{}", proxy.seen());
    // What was answered is noted soon after.
    std::thread::park_timeout(Duration::from_millis(200));
    let sent = Command::new("kill")
        .args(["-s", signal, &child.id().to_string()])
        .status();
    assert!(sent.expect("it starts").success());
    let ended = child.wait().expect("ended");
    assert_eq!(ended.code(), Some(ENDED_BY_SIGNAL), "{signal}");
    proxy.heal();
    let left = computer.half_made(&profile).len();
    let report = computer.run(&profile, &["backup"], signal);
    computer.verify_all(&profile, signal);
    assert_eq!(computer.half_made(&profile), [""; 0], "{signal}");
    Some((left, number(&report, "bytes_resumed")))
}

#[test]
fn a_shutdown_or_a_closed_terminal_costs_no_progress() {
    for signal in ["TERM", "HUP"] {
        let Some((left, resumed)) = signalled(signal) else {
            return;
        };
        assert_eq!(left, 1, "{signal}");
        assert!(resumed >= 16 * MIB, "{signal}: {resumed}");
    }
}

#[test]
fn ctrl_c_takes_everything_back() {
    let Some((left, resumed)) = signalled("INT") else {
        return;
    };
    assert_eq!((left, resumed), (0, 0));
}
