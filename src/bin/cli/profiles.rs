//! The `profile` commands: show and change what is set up. They never contact a destination.

use crate::args::{ProfileCommand, ProfileSettings, ProviderArg};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::{presets, providers};
use serde_json::json;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use zipkeep::config::{Config, ConfigError, Places};
use zipkeep::model::{
    Compression, CredentialSource, Deleting, Destination, EndpointError, FolderDestination,
    Profile, S3Destination, Secret, WhenUnchanged, keepable, understand,
};
use zipkeep::secrets;

/// Runs one `profile` command. `chosen` is what `--profile` says.
pub(crate) fn run(
    command: ProfileCommand,
    chosen: Option<&str>,
    places: &Places,
    output: Output,
) -> Result<Exit, Failure> {
    let mut config = Config::load(places)?;
    match command {
        ProfileCommand::List => list(&config, output)?,
        ProfileCommand::Show => {
            let name = chosen.unwrap_or(&config.active_profile);
            show(named(&config, name)?, output)?;
        }
        ProfileCommand::Add { name, settings } => {
            let profile = Profile {
                name: name.clone(),
                sources: Vec::new(),
                excludes: Vec::new(),
                compression: Compression::default(),
                when_unchanged: WhenUnchanged::default(),
                destination: new_destination(&settings, places)?,
            };
            let profile = kept(changed(profile, &settings, places)?, output)?;
            config.add_profile(profile)?;
            keep(&config, &name, &settings, places, output)?;
        }
        ProfileCommand::Edit { name, settings } => {
            let old = named(&config, &name)?;
            let mut profile = changed(old.clone(), &settings, places)?;
            // What an older version kept goes on as long as nobody touches it.
            if profile.destination != old.destination {
                profile = kept(profile, output)?;
            }
            config.replace_profile(profile)?;
            keep(&config, &name, &settings, places, output)?;
        }
        ProfileCommand::Remove { name } => {
            config.remove_profile(&name, places)?;
            config.save(places)?;
            secrets::forget(places, &name)?;
            output.result("profile", &json!({"removed": name}), |out| {
                writeln!(
                    out,
                    "Removed the profile {name}. Its backups stay where they are."
                )
            })?;
        }
        ProfileCommand::Export { name } => {
            let profile = named(&config, &name)?;
            let text = serde_json::to_string_pretty(profile)
                .map_err(|error| local("the profile", error))?;
            output.result("profile", profile, |out| writeln!(out, "{text}"))?;
        }
        ProfileCommand::Presets => presets::list(output)?,
        ProfileCommand::Providers => providers::list(output)?,
        ProfileCommand::Policy { name, no_delete } => {
            let deleting = if no_delete {
                Deleting::Forbidden
            } else {
                Deleting::Allowed
            };
            providers::policy(named(&config, &name)?, deleting, output)?;
        }
        ProfileCommand::Import { file } => import(&mut config, &file, places, output)?,
    }
    Ok(Exit::Done)
}

fn named<'a>(config: &'a Config, name: &str) -> Result<&'a Profile, Failure> {
    let found = config.profile(name);
    found.ok_or_else(|| ConfigError::NoSuchProfile(name.to_owned()).into())
}

fn local(what: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::Local {
        what: format!("{what} could not be read or written"),
        source: error.into(),
    }
}

fn list(config: &Config, output: Output) -> Result<(), Failure> {
    output.result(
        "profile",
        &json!({"profiles": config.profiles, "active": config.active_profile}),
        |out| {
            for profile in &config.profiles {
                let mark = if profile.name == config.active_profile {
                    "*"
                } else {
                    " "
                };
                writeln!(
                    out,
                    "{mark} {}  {}",
                    profile.name,
                    profile.destination.summary()
                )?;
            }
            Ok(())
        },
    )
}

fn show(profile: &Profile, output: Output) -> Result<(), Failure> {
    output.result("profile", profile, |out| {
        writeln!(out, "name           {}", profile.name)?;
        match &profile.destination {
            Destination::Folder(folder) => {
                writeln!(out, "folder         {}", folder.path.display())?;
            }
            Destination::S3(s3) => {
                writeln!(out, "provider       {}", s3.provider.title())?;
                writeln!(out, "endpoint       {}", s3.endpoint)?;
                writeln!(out, "region         {}", s3.region)?;
                writeln!(out, "bucket         {}", s3.bucket)?;
                writeln!(out, "root path      {}", s3.root_path)?;
                writeln!(out, "access key id  {}", s3.access_key_id)?;
                if !s3.credentials.is_default() {
                    writeln!(out, "keys from      {}", s3.credentials)?;
                }
                if let Some(file) = &s3.ca_certificate {
                    writeln!(out, "CA certificate {}", file.display())?;
                }
                if s3.allow_plain_http {
                    writeln!(out, "plain http     allowed")?;
                }
                match understand(s3) {
                    Ok(it) => writeln!(out, "address        {}", it.endpoint.bucket_url())?,
                    Err(error) => writeln!(out, "address        none: {error}")?,
                }
            }
        }
        for source in &profile.sources {
            writeln!(out, "back up        {}", source.display())?;
        }
        for pattern in &profile.excludes {
            writeln!(out, "leave out      {pattern}")?;
        }
        // The very words that the options take.
        let compression = match profile.compression {
            Compression::Fast => "fast",
            Compression::Normal => "normal",
            Compression::Small => "small",
        };
        let when_unchanged = match profile.when_unchanged {
            WhenUnchanged::Skip => "skip",
            WhenUnchanged::BackUp => "back-up",
        };
        writeln!(out, "compression    {compression}")?;
        writeln!(out, "when unchanged {when_unchanged}")
    })
}

fn new_destination(settings: &ProfileSettings, places: &Places) -> Result<Destination, Failure> {
    match settings.provider {
        None => Err(Failure::usage(
            "a new profile needs --provider",
            "Choose one of those that `profile providers` lists, or folder.",
        )),
        Some(ProviderArg::Folder) => Ok(Destination::Folder(FolderDestination {
            path: places.default_destination(),
        })),
        Some(ProviderArg::Bucket(_)) => Ok(Destination::S3(S3Destination::default())),
    }
}

/// `profile` with what `settings` give; the rest as it was.
fn changed(
    mut profile: Profile,
    settings: &ProfileSettings,
    places: &Places,
) -> Result<Profile, Failure> {
    if let Some(provider) = settings.provider {
        profile.destination = match (provider.provider(), profile.destination) {
            (None, Destination::S3(_)) => Destination::Folder(FolderDestination {
                path: places.default_destination(),
            }),
            (Some(provider), Destination::S3(s3)) => {
                Destination::S3(S3Destination { provider, ..s3 })
            }
            (Some(provider), Destination::Folder(_)) => Destination::S3(S3Destination {
                provider,
                ..S3Destination::default()
            }),
            (None, folder) => folder,
        };
    }
    match &mut profile.destination {
        Destination::Folder(folder) => {
            if let Some(root) = &settings.root {
                folder.path = absolute(Path::new(root))?;
            }
            let s3_only = [
                &settings.endpoint,
                &settings.region,
                &settings.bucket,
                &settings.access_key_id,
            ];
            let is_for_s3 = settings.allow_plain_http.is_some()
                || settings.credentials.is_some()
                || settings.ca_certificate.is_some();
            if is_for_s3 || s3_only.iter().any(|value| value.is_some()) {
                return Err(Failure::usage(
                    "a folder has no endpoint, region, bucket, keys or certificate",
                    "Use --root for the folder, or another --provider.",
                ));
            }
        }
        Destination::S3(s3) => {
            change_s3(s3, settings)?;
        }
    }
    let sources = settings.source.iter().map(|source| absolute(source));
    let sources: Vec<PathBuf> = sources.collect::<Result<_, _>>()?;
    if !sources.is_empty() {
        profile.sources.clone_from(&sources);
    }
    if !settings.exclude.is_empty() {
        profile.excludes.clone_from(&settings.exclude);
    }
    for id in &settings.preset {
        presets::add_to(&mut profile, id, &sources)?;
    }
    if let Some(compression) = settings.compression {
        profile.compression = compression.into();
    }
    if let Some(when_unchanged) = settings.when_unchanged {
        profile.when_unchanged = when_unchanged.into();
    }
    Ok(profile)
}

fn change_s3(s3: &mut S3Destination, settings: &ProfileSettings) -> Result<(), Failure> {
    for (field, value) in [
        (&mut s3.endpoint, &settings.endpoint),
        (&mut s3.region, &settings.region),
        (&mut s3.bucket, &settings.bucket),
        (&mut s3.root_path, &settings.root),
        (&mut s3.access_key_id, &settings.access_key_id),
    ] {
        if let Some(value) = value {
            value.trim().clone_into(field);
        }
    }
    if let Some(allowed) = settings.allow_plain_http {
        s3.allow_plain_http = allowed;
    }
    if let Some(source) = &settings.credentials {
        s3.credentials.clone_from(source);
    }
    if let Some(file) = &settings.ca_certificate {
        let is_given = !file.is_empty();
        s3.ca_certificate = is_given.then(|| absolute(Path::new(file))).transpose()?;
    }
    Ok(())
}

/// The profile as it may be kept: no field of its destination holds what belongs elsewhere, such as a secret.
fn kept(mut profile: Profile, output: Output) -> Result<Profile, Failure> {
    if let Destination::S3(s3) = &mut profile.destination {
        let kept = keepable(s3).map_err(|error| {
            let hint = match error {
                EndpointError::Credentials => {
                    "Give the keys by --access-key-id and --secret-stdin instead."
                }
                _ => {
                    "Nothing was saved. Check the value; a secret is only given by --secret-stdin."
                }
            };
            Failure::usage(error.to_string(), hint)
        })?;
        if kept.endpoint != s3.endpoint {
            output.note(&format!(
                "What stands behind the path of the address is not kept: the endpoint is {}.",
                kept.endpoint
            ));
        }
        *s3 = kept;
    }
    Ok(profile)
}

/// The path as it is meant from here.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| local(&path.display().to_string(), error))
}

fn keep(
    config: &Config,
    name: &str,
    settings: &ProfileSettings,
    places: &Places,
    output: Output,
) -> Result<(), Failure> {
    let profile = named(config, name)?;
    let secret = read_secret(profile, settings)?;
    let is_kept = secret.is_some();
    if let Some(secret) = secret {
        secrets::keep(places, name, &secret)?;
    }
    config.save(places)?;
    if wants_secret(profile) && !is_kept && secrets::find(places, name)?.is_none() {
        output.note(
            "No secret access key is kept yet: give it with `profile edit NAME --secret-stdin`.",
        );
    }
    if let Destination::S3(s3) = &profile.destination {
        say_what_was_understood(s3, output);
    }
    output.result("profile", profile, |out| {
        writeln!(
            out,
            "Saved the profile {name}: {}",
            profile.destination.summary()
        )?;
        if config.active_profile == name {
            return Ok(());
        }
        writeln!(
            out,
            "Commands use it with --profile {name}; without that they use the profile {}.",
            config.active_profile
        )
    })
}

/// Whether a secret has to be kept for it.
fn wants_secret(profile: &Profile) -> bool {
    match &profile.destination {
        Destination::S3(s3) => s3.credentials == CredentialSource::Keys,
        Destination::Folder(_) => false,
    }
}

/// What was taken from where, or what is still missing: a profile may be completed later.
fn say_what_was_understood(s3: &S3Destination, output: Output) {
    match understand(s3) {
        Ok(it) => {
            for sentence in it.sentences {
                output.note(&sentence);
            }
        }
        Err(error) => {
            let error = error.to_string();
            output.note(&format!(
                "It cannot be used yet: {}.",
                error.trim_end_matches('.')
            ));
        }
    }
}

/// The secret from standard input or a prompt; never from an argument.
fn read_secret(profile: &Profile, settings: &ProfileSettings) -> Result<Option<Secret>, Failure> {
    if settings.secret_stdin {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        read.map_err(|error| local("the secret", error))?;
        let secret = Secret::new(&line);
        if secret.is_empty() {
            return Err(Failure::usage(
                "no secret came on standard input",
                "Pipe it in: `… --secret-stdin < FILE`.",
            ));
        }
        return Ok(Some(secret));
    }
    let is_wanted = wants_secret(profile) && settings.access_key_id.is_some();
    if is_wanted && io::stdin().is_terminal() {
        let typed = rpassword::prompt_password("Secret Access Key: ");
        let secret = Secret::new(&typed.map_err(|error| local("the secret", error))?);
        return Ok((!secret.is_empty()).then_some(secret));
    }
    Ok(None)
}

fn import(
    config: &mut Config,
    file: &Path,
    places: &Places,
    output: Output,
) -> Result<(), Failure> {
    let what = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|error| local(&what, error))?;
    let profile: Profile = serde_json::from_slice(&bytes).map_err(|error| local(&what, error))?;
    let profile = kept(profile, output)?;
    config.add_profile(profile.clone())?;
    config.save(places)?;
    output.note("The secret access key is not part of the file; give it with `profile edit NAME --secret-stdin`.");
    output.result("profile", &profile, |out| {
        writeln!(out, "Added the profile {}.", profile.name)
    })
}
