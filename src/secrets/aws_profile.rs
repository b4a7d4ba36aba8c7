//! Profiles of the files that AWS's own programs use: `~/.aws/credentials` and `~/.aws/config`.
//!
//! Only keys that stand there are read. What other programs would have to fetch is refused by name.

use super::error::SecretsError;
use super::pair::Keys;
use crate::model::Secret;
use ini::{Ini, ParseOption, Properties};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Settings that mean that the keys come from elsewhere, also where there are keys.
const FETCHED: [&str; 5] = [
    "role_arn",
    "web_identity_token_file",
    "sso_session",
    "sso_account_id",
    "sso_start_url",
];
/// The same where there are no keys.
const FETCHED_WITHOUT_KEYS: [&str; 3] = ["credential_process", "login_session", "source_profile"];

/// A file and what stands in it; nothing where it is not there.
#[derive(Debug)]
struct AwsFile {
    path: PathBuf,
    text: String,
}

/// The keys of the profile `name` of this user's files.
pub(super) fn keys(name: &str) -> Result<Keys, SecretsError> {
    let credentials = AwsFile::read(location("AWS_SHARED_CREDENTIALS_FILE", "credentials"))?;
    let config = AwsFile::read(location("AWS_CONFIG_FILE", "config"))?;
    keys_in(name, &credentials, &config)
}

/// Where a file is: where the environment says, else in the home folder.
fn location(variable: &str, usual: &str) -> PathBuf {
    let home = etcetera::home_dir().unwrap_or_default();
    match std::env::var_os(variable).filter(|path| !path.is_empty()) {
        Some(path) => {
            let path = PathBuf::from(path);
            match path.strip_prefix("~") {
                Ok(below_home) => home.join(below_home),
                Err(_) => path,
            }
        }
        None => home.join(".aws").join(usual),
    }
}

fn keys_in(name: &str, credentials: &AwsFile, config: &AwsFile) -> Result<Keys, SecretsError> {
    let in_credentials = credentials.section(|section| section == name)?;
    let in_config = config.section(|section| is_profile(section, name))?;
    if in_credentials.is_none() && in_config.is_none() {
        return Err(SecretsError::NoAwsProfile {
            name: name.to_owned(),
            credentials: credentials.path.clone(),
            config: config.path.clone(),
        });
    }
    let sections = [in_credentials.as_ref(), in_config.as_ref()];
    let says = |setting: &'static str| {
        let mut sections = sections.into_iter().flatten();
        sections
            .any(|section| value(section, setting).is_some())
            .then_some(setting)
    };
    let not_static = |setting| SecretsError::AwsNotStatic {
        name: name.to_owned(),
        setting,
    };
    if let Some(setting) = FETCHED.into_iter().find_map(says) {
        return Err(not_static(setting));
    }
    // A pair stands in one file.
    let has_keys = |section: &&Properties| value(section, "aws_access_key_id").is_some();
    let Some(section) = sections.into_iter().flatten().find(has_keys) else {
        if let Some(setting) = FETCHED_WITHOUT_KEYS.into_iter().find_map(says) {
            return Err(not_static(setting));
        }
        return Err(missing(name, "aws_access_key_id"));
    };
    let needed = |setting| value(section, setting).ok_or_else(|| missing(name, setting));
    let token = value(section, "aws_session_token").unwrap_or_default();
    let keys = Keys {
        access_key_id: needed("aws_access_key_id")?.to_owned(),
        secret: Secret::new(needed("aws_secret_access_key")?).with_session_token(token),
    };
    keys.checked(&format!("in the AWS profile “{name}”"))
}

fn missing(name: &str, setting: &'static str) -> SecretsError {
    let name = name.to_owned();
    SecretsError::AwsKeyMissing { name, setting }
}

/// Whether a section of the file of settings is that of the profile: `[default]`, `[profile default]`,
/// `[profile x]`, `[profile "x y"]`.
fn is_profile(section: &str, name: &str) -> bool {
    let named = section
        .strip_prefix("profile")
        .filter(|rest| rest.starts_with(char::is_whitespace))
        .map(|rest| rest.trim().trim_matches(['"', '\'']));
    match named {
        Some(named) => named == name,
        None => section == name && name == "default",
    }
}

/// What a setting is; the last one where it is there twice.
fn value<'a>(section: &'a Properties, setting: &str) -> Option<&'a str> {
    let mut latest_first = section.iter().rev();
    let (_, value) = latest_first.find(|(name, _)| name.trim().eq_ignore_ascii_case(setting))?;
    Some(value.trim()).filter(|value| !value.is_empty())
}

impl AwsFile {
    fn read(path: PathBuf) -> Result<Self, SecretsError> {
        match fs::read(&path) {
            Ok(bytes) => Ok(Self::of(path, &bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::of(path, b"")),
            Err(source) => Err(SecretsError::AwsFile { path, source }),
        }
    }

    fn of(path: PathBuf, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}').to_owned();
        Self { path, text }
    }

    /// All that stands in sections of which `is_it` is true, in their order.
    fn section(&self, is_it: impl Fn(&str) -> bool) -> Result<Option<Properties>, SecretsError> {
        let options = ParseOption {
            // Neither is known to AWS's programs; a secret may hold both.
            enabled_quote: false,
            enabled_escape: false,
            ..ParseOption::default()
        };
        if let Some(line) = self.open_section() {
            return Err(self.not_understood(line));
        }
        // The parser's words are dropped on purpose: they could repeat what stands in the file.
        let file = Ini::load_from_str_opt(&self.text, options)
            .map_err(|error| self.not_understood(error.line))?;
        let mut found: Option<Properties> = None;
        for (name, section) in &file {
            if name.is_some_and(|name| is_it(name.trim())) {
                let all = found.get_or_insert_default();
                for (name, value) in section {
                    all.append(name, value);
                }
            }
        }
        Ok(found)
    }

    /// The line of a section whose name does not end: the parser would look for the end in the lines below.
    fn open_section(&self) -> Option<usize> {
        let is_open = |line: &str| line.starts_with('[') && !line.contains(']');
        Some(self.text.lines().position(is_open)? + 1)
    }

    fn not_understood(&self, line: usize) -> SecretsError {
        SecretsError::AwsSyntax {
            path: Path::to_owned(&self.path),
            line: line.max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(name: &str, credentials: &str, config: &str) -> Result<Keys, SecretsError> {
        let file = |path: &str, text: &str| AwsFile::of(PathBuf::from(path), text.as_bytes());
        keys_in(
            name,
            &file("credentials", credentials),
            &file("config", config),
        )
    }

    const PAIR: &str = "aws_access_key_id = AKIA\naws_secret_access_key = a/b+c=d\\e\"f\n";

    #[track_caller]
    fn assert_pair(found: Result<Keys, SecretsError>, token: Option<&str>) {
        let found = found.expect("keys");
        assert_eq!(found.access_key_id, "AKIA");
        assert_eq!(found.secret.expose(), "a/b+c=d\\e\"f");
        assert_eq!(found.secret.expose_session_token(), token);
    }

    #[test]
    fn keys_are_found_in_either_file() {
        let section = |name: &str| format!("# mine\r\n[{name}]\r\nregion=eu-west-1\n{PAIR}\n");
        assert_pair(read("default", &section("default"), ""), None);
        assert_pair(read("work", &section("work"), ""), None);
        assert_pair(read("default", "", &section("default")), None);
        assert_pair(read("default", "", &section("profile default")), None);
        assert_pair(read("work", "", &section("profile work")), None);
        assert_pair(read("at work", "", &section("profile \"at work\"")), None);
        assert_pair(
            read("work", &format!("\u{feff}{}", section("work")), ""),
            None,
        );
        let token = format!("{}aws_session_token = t==\n", section("work"));
        assert_pair(read("work", &token, ""), Some("t=="));
        // Settings of other kinds, some of them indented, and comments behind values.
        let busy = "[profile work]\nregion = eu-west-1 # home\ns3 =\n  max_concurrent_requests = 20\n  \
             addressing_style = path\noutput =\n[sso-session x]\nsso_start_url = https://x\n";
        assert_pair(read("work", &section("work"), busy), None);
        let upper = PAIR.replace("aws_access_key_id", "AWS_ACCESS_KEY_ID");
        assert_pair(read("work", &format!("[work]\n{upper}"), ""), None);
        // The file of credentials comes first, and of two lines the last.
        let other = "[work]\naws_access_key_id = OTHER\naws_secret_access_key = other\n";
        assert_pair(read("work", &format!("{other}[work]\n{PAIR}"), other), None);
    }

    #[test]
    fn what_is_missing_is_named() {
        for (credentials, config, told) in [
            ("", "", "no AWS profile “work”"),
            ("[other]\n", "[work]\n", "no AWS profile “work”"),
            ("[work]\n", "", "has no aws_access_key_id"),
            (
                "[work]\naws_access_key_id = A\n",
                "",
                "has no aws_secret_access_key",
            ),
            ("[work\nx", "", "credentials cannot be understood at line 1"),
            (
                "# mine\n[work\naws_access_key_id = A\n[other]\n",
                "",
                "credentials cannot be understood at line 2",
            ),
        ] {
            let refused = read("work", credentials, config).expect_err("refused");
            assert!(refused.to_string().contains(told), "{refused}");
        }
    }

    #[test]
    fn profiles_whose_keys_are_fetched_are_refused_by_name() {
        for setting in FETCHED.into_iter().chain(FETCHED_WITHOUT_KEYS) {
            let config = format!("[profile work]\n{setting} = x\n");
            let refused = read("work", "", &config).expect_err("refused");
            let told = refused.to_string();
            assert!(told.contains("“work”") && told.contains(setting), "{told}");
            assert!(refused.hint().contains("export-credentials"));
            assert!(refused.hint().contains("takes no roles"));
        }
        let keys = format!("[work]\n{PAIR}");
        let process = "[profile work]\ncredential_process = /bin/x\n";
        assert_pair(read("work", &keys, process), None);
        let role = "[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = default\n";
        read("work", &keys, role).expect_err("another identity than these keys");
    }

    proptest! {
        #[test]
        fn no_file_breaks_the_reader_or_is_repeated(
            lines in proptest::collection::vec(
                prop_oneof![
                    "\\PC{0,30}",
                    Just("[work]".to_owned()),
                    Just("aws_access_key_id = AKIA".to_owned()),
                    Just("aws_secret_access_key = hunter2hunter2".to_owned()),
                    Just("hunter2hunter2 \\".to_owned()),
                    Just("[hunter2hunter2".to_owned()),
                    "[ \t=:#;\\[\\]\"'\\\\]{0,8}",
                ],
                0..12,
            ),
            end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just("\0")],
        ) {
            let text = lines.join(end);
            for (credentials, config) in [(text.as_str(), ""), ("", text.as_str())] {
                let found = read("work", credentials, config);
                let shown = format!("{found:?}");
                prop_assert!(!shown.contains("hunter2"), "{}", shown);
                if let Err(error) = found {
                    prop_assert!(!error.to_string().contains("hunter2"));
                }
            }
        }
    }
}
