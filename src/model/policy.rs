//! The access policy that a key for one destination needs, and nothing beyond it.
//!
//! In the provider's own language, for exactly one bucket and root path: list what is below the root path,
//! read, write, look after unfinished uploads, and delete only where that is wanted.

use super::providers::PolicyLanguage;
use super::{Endpoint, EndpointError, S3Destination, resolve_endpoint};
use serde::Serialize;

/// What a key must be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessPolicy {
    /// A JSON document, to be pasted into the provider's console.
    Document(String),
    /// Where a provider has no such documents: what to choose there.
    Words(String),
}

/// Whether backups may be deleted with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleting {
    /// Also by retention and to tidy up.
    Allowed,
    /// Not even by who steals the key.
    Forbidden,
}

/// The policy for this destination.
pub fn access_policy(
    settings: &S3Destination,
    deleting: Deleting,
) -> Result<AccessPolicy, EndpointError> {
    let endpoint = resolve_endpoint(settings)?;
    Ok(match endpoint.provider.preset().policy {
        PolicyLanguage::Aws => document(&aws(&endpoint, deleting)),
        PolicyLanguage::Ram => document(&ram(plain_root(&endpoint)?, deleting)),
        PolicyLanguage::Cam => document(&cam(plain_root(&endpoint)?, deleting)),
        PolicyLanguage::None => AccessPolicy::Words(words(&endpoint, deleting)),
    })
}

impl AccessPolicy {
    /// What to copy: the document, or the words.
    pub fn text(&self) -> &str {
        match self {
            Self::Document(text) | Self::Words(text) => text,
        }
    }
}

fn document(policy: &impl Serialize) -> AccessPolicy {
    // Strings and lists of them can always be written.
    AccessPolicy::Document(serde_json::to_string_pretty(policy).unwrap_or_default())
}

/// The endpoint, if no sign of its root path stands for others in a language that knows no escape: a policy with
/// such a root path would allow other folders too.
fn plain_root(endpoint: &Endpoint) -> Result<&Endpoint, EndpointError> {
    if endpoint.root_path.contains(['*', '?']) {
        return Err(EndpointError::RootNotInPolicy {
            root: endpoint.root_path.clone(),
            title: endpoint.provider.title(),
        });
    }
    Ok(endpoint)
}

/// A policy of AWS or Alibaba Cloud.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'static str>,
    effect: &'static str,
    action: Vec<&'static str>,
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<serde_json::Value>,
}

fn aws(endpoint: &Endpoint, deleting: Deleting) -> Policy {
    let partition = match endpoint.region.as_str() {
        _ if endpoint.provider != super::Provider::AWS => "aws",
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        region if region.starts_with("us-isob-") => "aws-iso-b",
        region if region.starts_with("us-iso-") => "aws-iso",
        _ => "aws",
    };
    let bucket = format!("arn:{partition}:s3:::{}", endpoint.bucket);
    let below = below_root(endpoint, aws_literal);
    let mut on_objects = vec![
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListMultipartUploadParts",
        "s3:AbortMultipartUpload",
    ];
    if deleting == Deleting::Allowed {
        on_objects.push("s3:DeleteObject");
    }
    let condition = (!endpoint.root_path.is_empty())
        .then(|| serde_json::json!({"StringLike": {"s3:prefix": [below]}}));
    let statement = |sid, action, resource, condition| Statement {
        sid: Some(sid),
        effect: "Allow",
        action,
        resource: vec![resource],
        condition,
    };
    Policy {
        version: "2012-10-17",
        statement: vec![
            statement(
                "ListBackups",
                vec!["s3:ListBucket"],
                bucket.clone(),
                condition,
            ),
            // This action knows no condition on the prefix.
            statement(
                "FindUnfinishedUploads",
                vec!["s3:ListBucketMultipartUploads"],
                bucket.clone(),
                None,
            ),
            statement("Backups", on_objects, format!("{bucket}/{below}"), None),
        ],
    }
}

/// In a pattern of AWS, a text that stands for itself.
fn aws_literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '*' | '?' | '$' => literal.extend(['$', '{', c, '}']),
            _ => literal.push(c),
        }
    }
    literal
}

fn ram(endpoint: &Endpoint, deleting: Deleting) -> Policy {
    let bucket = format!("acs:oss:*:*:{}", endpoint.bucket);
    let below = below_root(endpoint, str::to_owned);
    let mut on_objects = vec![
        "oss:GetObject",
        "oss:PutObject",
        "oss:ListParts",
        "oss:AbortMultipartUpload",
    ];
    if deleting == Deleting::Allowed {
        on_objects.push("oss:DeleteObject");
    }
    let condition = (!endpoint.root_path.is_empty())
        .then(|| serde_json::json!({"StringLike": {"oss:Prefix": [below]}}));
    let statement = |action, resource, condition| Statement {
        sid: None,
        effect: "Allow",
        action,
        resource: vec![resource],
        condition,
    };
    Policy {
        version: "1",
        statement: vec![
            statement(vec!["oss:ListObjects"], bucket.clone(), condition),
            statement(vec!["oss:ListMultipartUploads"], bucket.clone(), None),
            statement(on_objects, format!("{bucket}/{below}"), None),
        ],
    }
}

/// A policy of Tencent Cloud.
#[derive(Serialize)]
struct CamPolicy {
    version: &'static str,
    statement: Vec<CamStatement>,
}

#[derive(Serialize)]
struct CamStatement {
    effect: &'static str,
    action: Vec<&'static str>,
    resource: Vec<String>,
}

fn cam(endpoint: &Endpoint, deleting: Deleting) -> CamPolicy {
    let (bucket, region) = (&endpoint.bucket, &endpoint.region);
    let app_id = bucket.rsplit_once('-').map_or("*", |(_, id)| id);
    let resource = format!("qcs::cos:{region}:uid/{app_id}:{bucket}");
    let mut on_objects = vec![
        "name/cos:GetObject",
        "name/cos:HeadObject",
        "name/cos:PutObject",
        "name/cos:InitiateMultipartUpload",
        "name/cos:UploadPart",
        "name/cos:UploadPartCopy",
        "name/cos:CompleteMultipartUpload",
        "name/cos:ListParts",
        "name/cos:AbortMultipartUpload",
    ];
    if deleting == Deleting::Allowed {
        // Several at once are an action of their own here; elsewhere the one for each of them is enough.
        on_objects.extend(["name/cos:DeleteObject", "name/cos:DeleteMultipleObjects"]);
    }
    let below = below_root(endpoint, str::to_owned);
    CamPolicy {
        version: "2.0",
        statement: vec![
            // Names in the whole bucket: these are actions on the bucket, not on what is below a folder.
            CamStatement {
                effect: "allow",
                action: vec!["name/cos:GetBucket", "name/cos:ListMultipartUploads"],
                resource: vec![format!("{resource}/*")],
            },
            CamStatement {
                effect: "allow",
                action: on_objects,
                resource: vec![format!("{resource}/{below}")],
            },
        ],
    }
}

fn below_root(endpoint: &Endpoint, literal: impl Fn(&str) -> String) -> String {
    match endpoint.root_path.as_str() {
        "" => "*".to_owned(),
        root => format!("{}/*", literal(root)),
    }
}

fn words(endpoint: &Endpoint, deleting: Deleting) -> String {
    let preset = endpoint.provider.preset();
    let is_other = deleting == Deleting::Forbidden && !preset.token_permission_no_delete.is_empty();
    let permission = if is_other {
        &preset.token_permission_no_delete
    } else {
        &preset.token_permission
    };
    let prefix = format!("{}/", endpoint.root_path);
    let folder = if endpoint.root_path.is_empty() {
        String::new()
    } else {
        preset.token_folder.replace("{prefix}", &prefix)
    };
    let token = preset
        .token
        .replace("{permission}", permission)
        .replace("{folder}", &folder)
        .replace("{bucket}", &endpoint.bucket);
    match deleting {
        Deleting::Allowed => token,
        Deleting::Forbidden => format!("{token} {}", preset.token_no_delete)
            .trim_end()
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provider;
    use serde_json::{Value, json};

    fn destination(provider: Provider, region: &str, bucket: &str, root: &str) -> S3Destination {
        S3Destination {
            provider,
            region: region.to_owned(),
            bucket: bucket.to_owned(),
            root_path: root.to_owned(),
            ..S3Destination::default()
        }
    }

    fn read(settings: &S3Destination, deleting: Deleting) -> Value {
        match access_policy(settings, deleting).expect("an address") {
            AccessPolicy::Document(text) => serde_json::from_str(&text).expect("JSON"),
            AccessPolicy::Words(words) => panic!("{words}"),
        }
    }

    #[test]
    fn aws_gets_exactly_this_bucket_and_root_path() {
        let settings = destination(Provider::AWS, "eu-west-1", "photos", "my/pc");
        let policy = read(&settings, Deleting::Allowed);
        assert_eq!(
            policy,
            json!({
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "ListBackups",
                        "Effect": "Allow",
                        "Action": ["s3:ListBucket"],
                        "Resource": ["arn:aws:s3:::photos"],
                        "Condition": {"StringLike": {"s3:prefix": ["my/pc/*"]}},
                    },
                    {
                        "Sid": "FindUnfinishedUploads",
                        "Effect": "Allow",
                        "Action": ["s3:ListBucketMultipartUploads"],
                        "Resource": ["arn:aws:s3:::photos"],
                    },
                    {
                        "Sid": "Backups",
                        "Effect": "Allow",
                        "Action": [
                            "s3:GetObject",
                            "s3:PutObject",
                            "s3:ListMultipartUploadParts",
                            "s3:AbortMultipartUpload",
                            "s3:DeleteObject",
                        ],
                        "Resource": ["arn:aws:s3:::photos/my/pc/*"],
                    },
                ],
            })
        );
    }

    #[test]
    fn without_a_root_path_it_is_the_whole_bucket() {
        let policy = read(
            &destination(Provider::AWS, "us-east-1", "b", ""),
            Deleting::Allowed,
        );
        assert_eq!(policy["Statement"][0]["Condition"], Value::Null);
        assert_eq!(
            policy["Statement"][2]["Resource"],
            json!(["arn:aws:s3:::b/*"])
        );
    }

    #[test]
    fn stars_in_a_root_path_stand_for_themselves() {
        let policy = read(
            &destination(Provider::AWS, "us-east-1", "b", "a*b$"),
            Deleting::Allowed,
        );
        let resource = &policy["Statement"][2]["Resource"];
        assert_eq!(resource, &json!(["arn:aws:s3:::b/a${*}b${$}/*"]));
    }

    #[test]
    fn every_partition_has_its_own_names() {
        for (region, begin) in [
            ("cn-north-1", "arn:aws-cn:s3:::b"),
            ("us-gov-west-1", "arn:aws-us-gov:s3:::b"),
            ("us-iso-east-1", "arn:aws-iso:s3:::b"),
            ("us-isob-east-1", "arn:aws-iso-b:s3:::b"),
            ("eu-west-1", "arn:aws:s3:::b"),
        ] {
            let policy = read(
                &destination(Provider::AWS, region, "b", "r"),
                Deleting::Allowed,
            );
            assert_eq!(policy["Statement"][0]["Resource"], json!([begin]));
        }
    }

    #[test]
    fn oss_and_cos_speak_their_own_languages() {
        let oss = destination(Provider::OSS, "cn-hangzhou", "photos", "pc");
        let policy = read(&oss, Deleting::Allowed);
        assert_eq!(policy["Version"], "1");
        let (list, objects) = (&policy["Statement"][0], &policy["Statement"][2]);
        assert_eq!(list["Resource"], json!(["acs:oss:*:*:photos"]));
        assert_eq!(
            list["Condition"],
            json!({"StringLike": {"oss:Prefix": ["pc/*"]}})
        );
        assert_eq!(objects["Resource"], json!(["acs:oss:*:*:photos/pc/*"]));

        let cos = destination(Provider::COS, "ap-guangzhou", "photos-1250000000", "pc");
        let policy = read(&cos, Deleting::Allowed);
        assert_eq!(policy["version"], "2.0");
        assert_eq!(
            policy["statement"][1]["resource"],
            json!(["qcs::cos:ap-guangzhou:uid/1250000000:photos-1250000000/pc/*"])
        );
    }

    #[test]
    fn cos_deletes_several_objects_by_an_action_of_its_own() {
        let cos = destination(Provider::COS, "ap-guangzhou", "photos-1250000000", "pc");
        let actions = |deleting| read(&cos, deleting)["statement"][1]["action"].to_string();
        let both = [
            "\"name/cos:DeleteObject\"",
            "\"name/cos:DeleteMultipleObjects\"",
        ];
        for action in both {
            assert!(actions(Deleting::Allowed).contains(action), "{action}");
        }
        assert!(!actions(Deleting::Forbidden).contains("Delete"));
    }

    #[test]
    fn a_root_path_reaches_no_other_folder() {
        let others = [
            destination(Provider::OSS, "cn-hangzhou", "photos", ""),
            destination(Provider::COS, "ap-guangzhou", "photos-1250000000", ""),
        ];
        for mut settings in others {
            for root in ["*", "a?b/*c", "a/?"] {
                root.clone_into(&mut settings.root_path);
                let refused = access_policy(&settings, Deleting::Allowed).expect_err("refused");
                let told = refused.to_string();
                assert!(
                    told.contains(root) && told.contains("access policy"),
                    "{told}"
                );
            }
        }
        let aws = destination(Provider::AWS, "eu-west-1", "photos", "a?b");
        let resource = &read(&aws, Deleting::Allowed)["Statement"][2]["Resource"];
        assert_eq!(resource, &json!(["arn:aws:s3:::photos/a${?}b/*"]));
        let nowhere = destination(Provider::AWS, "eu-west-1", "photos", "../..//x");
        let refused = access_policy(&nowhere, Deleting::Allowed).expect_err("refused");
        assert!(
            matches!(refused, EndpointError::RootInvalid(_)),
            "{refused}"
        );
    }

    #[test]
    fn nothing_is_deleted_with_a_key_that_may_not() {
        let account = "https://0123456789abcdef.r2.cloudflarestorage.com";
        for provider in Provider::all() {
            let preset = provider.preset();
            let settings = S3Destination {
                endpoint: match preset.endpoint {
                    Some(_) if preset.is_of_account() => account.to_owned(),
                    Some(_) => String::new(),
                    None => "https://s3.example.com".to_owned(),
                },
                ..destination(provider, preset.region_example(), "photos-1250000000", "pc")
            };
            let with = access_policy(&settings, Deleting::Allowed).expect("an address");
            let without = access_policy(&settings, Deleting::Forbidden).expect("an address");
            assert_ne!(with, without, "{provider:?}");
            assert!(with.text().contains("photos-1250000000"), "{provider:?}");
            assert!(!with.text().contains(['{', '}']) || preset.policy != PolicyLanguage::None);
            if matches!(without, AccessPolicy::Document(_)) {
                assert!(!without.text().contains("Delete"), "{without:?}");
                assert!(
                    without.text().contains("AbortMultipartUpload"),
                    "{without:?}"
                );
            }
        }
    }
}
