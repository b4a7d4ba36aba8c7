//! `CherryStudioBackup`: what is known of an archive that Cherry Studio made, by its name and by what
//! is in it. Four generations of it are known, and they do not read each other's archives.

use super::Os;
use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};

/// What is known of an archive that Cherry Studio made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CherryStudioBackup {
    /// How its content is laid out.
    pub layout: CherryStudioLayout,
    /// The number that its own format has, where it says so.
    pub format_version: Option<u64>,
    /// Version of the Cherry Studio that made it, where it says so.
    pub app_version: Option<String>,
    /// Operating system, in Cherry Studio's word: `win32`, `darwin`, `linux`.
    pub platform: Option<String>,
    /// Processor, in Cherry Studio's word: `x64`, `arm64`.
    pub arch: Option<String>,
    /// When it was made, where its content says so.
    pub made: Option<Timestamp>,
    /// When it was made by the clock of the computer that made it, whose zone nobody knows: from its name.
    pub made_local: Option<DateTime>,
    /// Computer that made it: from its name.
    pub device: Option<String>,
    /// Whether it holds everything.
    pub extent: CherryStudioExtent,
}

/// How the content of one of Cherry Studio's archives is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CherryStudioLayout {
    /// Chats and settings as one `data.json`, files in `Data/`.
    DataJson,
    /// The databases of version 1 as they stand in its data folder.
    FoldersV1,
    /// The databases of version 2 as they stand in its data folder.
    FoldersV2,
    /// A copy of the database with a list of resources.
    Portable,
}

impl CherryStudioLayout {
    /// Whether it can be put into a data folder; the others only Cherry Studio itself imports.
    pub const fn fits_data_folder(self) -> bool {
        matches!(self, Self::FoldersV1 | Self::FoldersV2)
    }

    /// The versions of Cherry Studio that make it.
    pub const fn versions(self) -> &'static str {
        match self {
            Self::DataJson => "1.8 or older",
            Self::FoldersV1 => "1.9",
            Self::FoldersV2 => "2.0 or 2.1",
            Self::Portable => "newer than 2.1",
        }
    }
}

/// Whether one of Cherry Studio's archives holds everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CherryStudioExtent {
    /// Everything.
    Full,
    /// A “lightweight” one: without files, and in version 2 without the browser's databases.
    Slim,
}

impl CherryStudioBackup {
    /// In a sentence: version, system, computer, extent. Times are told apart from it.
    pub fn sentence(&self) -> String {
        let mut text = match &self.app_version {
            Some(version) => format!("Made by Cherry Studio {version}"),
            None => format!("Made by Cherry Studio {}", self.layout.versions()),
        };
        if let Some(system) = self.system() {
            text.push_str(&format!(" for {system}"));
        }
        if let Some(device) = &self.device {
            text.push_str(&format!(" on {device}"));
        }
        text.push_str(match self.extent {
            CherryStudioExtent::Full => ", with files",
            CherryStudioExtent::Slim => ", without files (lightweight)",
        });
        text
    }

    /// The operating system as people call it.
    fn system(&self) -> Option<&str> {
        Some(match self.platform.as_deref()? {
            "win32" => "Windows",
            "darwin" => "macOS",
            "linux" => "Linux",
            other => other,
        })
    }
}

/// What one of Cherry Studio's archive names says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CherryStudioName {
    /// Computer, where the name has it.
    pub device: Option<String>,
    /// Operating system, where the name has it.
    pub os: Option<Os>,
    /// When it was made by that computer's clock, whose zone nobody knows.
    pub made_local: Option<DateTime>,
}

impl CherryStudioName {
    /// Reads a file name; `None` when Cherry Studio makes no such names. Those that it makes:
    ///
    /// - `cherry-studio.<14 or 17 digits>.<host>.<mac|windows|linux|unknown>.zip`; the host may hold dots
    /// - `cherry-studio.<14 or 17 digits>.<mac|windows|linux|unknown>.zip`, without a host
    /// - `cherry-studio.backup.<host>.<14 digits>.zip` and `cherry-studio.backup.zip`
    /// - `cherry-studio.<12 digits>.zip`, which its button “Backup” proposes
    ///
    /// The times are local ones but for those after a host, which are UTC.
    pub fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("cherry-studio.")?.strip_suffix(".zip")?;
        if rest == "backup" {
            return Some(Self::of(None, None, None));
        }
        if let Some(rest) = rest.strip_prefix("backup.") {
            let (host, stamp) = rest.rsplit_once('.')?;
            return (stamp.len() == 14 && is_digits(stamp) && !host.is_empty())
                .then(|| Self::of(Some(host), None, None));
        }
        let Some((stamp, rest)) = rest.split_once('.') else {
            return (rest.len() == 12 && is_digits(rest))
                .then(|| Self::of(None, None, moment(rest)));
        };
        if !matches!(stamp.len(), 14 | 17) || !is_digits(stamp) {
            return None;
        }
        let (host, kind) = match rest.rsplit_once('.') {
            Some((host, kind)) => (Some(host).filter(|host| !host.is_empty()), kind),
            None => (None, rest),
        };
        if rest.starts_with('.') {
            return None;
        }
        let os = match kind {
            "mac" => Some(Os::Macos),
            "windows" => Some(Os::Windows),
            "linux" => Some(Os::Linux),
            "unknown" => None,
            _ => return None,
        };
        Some(Self::of(host, os, moment(stamp)))
    }

    fn of(host: Option<&str>, os: Option<Os>, made_local: Option<DateTime>) -> Self {
        // What Cherry Studio writes where the system does not tell.
        let device = host.filter(|host| *host != "unknown");
        Self {
            device: device.map(str::to_owned),
            os,
            made_local,
        }
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `YYYYMMDDHHmm`, with seconds and milliseconds where they are there; `None` for what is no date.
fn moment(digits: &str) -> Option<DateTime> {
    let number = |from: usize, length: usize| -> Option<i16> {
        let part = digits.get(from..from + length)?;
        part.parse().ok()
    };
    let small = |from: usize| number(from, 2).and_then(|number| i8::try_from(number).ok());
    let nanos = number(14, 3).map_or(0, |millis| i32::from(millis) * 1_000_000);
    DateTime::new(
        number(0, 4)?,
        small(4)?,
        small(6)?,
        small(8)?,
        small(10)?,
        small(12).unwrap_or(0),
        nanos,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(name: &str) -> Option<(Option<String>, Option<Os>, Option<String>)> {
        let read = CherryStudioName::parse(name)?;
        let local = read.made_local.map(|local| local.to_string());
        Some((read.device, read.os, local))
    }

    #[test]
    fn names_of_all_generations_are_read() {
        let pc = || Some("pc".to_owned());
        let local = |text: &str| Some(text.to_owned());
        let expected = [
            (
                "cherry-studio.20250101010203.pc.windows.zip",
                (pc(), Some(Os::Windows), local("2025-01-01T01:02:03")),
            ),
            (
                "cherry-studio.20250101010203456.MBP.local.mac.zip",
                (
                    Some("MBP.local".to_owned()),
                    Some(Os::Macos),
                    local("2025-01-01T01:02:03.456"),
                ),
            ),
            (
                "cherry-studio.20260101010203.work-laptop-local.linux.zip",
                (
                    Some("work-laptop-local".to_owned()),
                    Some(Os::Linux),
                    local("2026-01-01T01:02:03"),
                ),
            ),
            (
                "cherry-studio.20250101010203.pc.unknown.zip",
                (pc(), None, local("2025-01-01T01:02:03")),
            ),
            (
                "cherry-studio.20250101010203.unknown.unknown.zip",
                (None, None, local("2025-01-01T01:02:03")),
            ),
            (
                "cherry-studio.20251201000000.mac.zip",
                (None, Some(Os::Macos), local("2025-12-01T00:00:00")),
            ),
            (
                "cherry-studio.backup.my.pc.20250101010203.zip",
                (Some("my.pc".to_owned()), None, None),
            ),
            ("cherry-studio.backup.zip", (None, None, None)),
            (
                "cherry-studio.202501010102.zip",
                (None, None, local("2025-01-01T01:02:00")),
            ),
            (
                "cherry-studio.20251399010203.pc.linux.zip",
                (pc(), Some(Os::Linux), None),
            ),
        ];
        for (name, expected) in expected {
            assert_eq!(read(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn other_names_are_not_taken_for_its() {
        for name in [
            "cherry-studio.2025.pc.linux.zip",
            "cherry-studio.20250101010203.pc.beos.zip",
            "cherry-studio.20250101010203..mac.zip",
            "cherry-studio.20250101010203.zip",
            "cherry-studio.backup..20250101010203.zip",
            "cherry-studio.backup.pc.2025.zip",
            "cherry-studio.zip",
            "cherry-studio.20250101010203.pc.linux",
            "my-cherry-studio.20250101010203.pc.linux.zip",
        ] {
            assert_eq!(read(name), None, "{name}");
        }
    }

    #[test]
    fn a_description_reads_as_a_sentence() {
        let mut backup = CherryStudioBackup {
            layout: CherryStudioLayout::FoldersV2,
            format_version: Some(7),
            app_version: Some("2.0.9".to_owned()),
            platform: Some("win32".to_owned()),
            arch: Some("x64".to_owned()),
            made: None,
            made_local: None,
            device: Some("pc".to_owned()),
            extent: CherryStudioExtent::Full,
        };
        assert_eq!(
            backup.sentence(),
            "Made by Cherry Studio 2.0.9 for Windows on pc, with files"
        );
        backup.layout = CherryStudioLayout::DataJson;
        (backup.app_version, backup.platform, backup.device) = (None, None, None);
        backup.extent = CherryStudioExtent::Slim;
        assert_eq!(
            backup.sentence(),
            "Made by Cherry Studio 1.8 or older, without files (lightweight)"
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_fail(text in ".*", digits in "[0-9]{0,20}") {
            let _: Option<CherryStudioName> = CherryStudioName::parse(&text);
            let _: Option<CherryStudioName> =
                CherryStudioName::parse(&format!("cherry-studio.{digits}.{text}.mac.zip"));
        }
    }
}
