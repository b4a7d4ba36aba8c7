//! Errors in each provider's own shape: fields of the body and headers of the answer.

use super::answer::{Answer, Refused, escaped};
use super::digest::{hex, md5};
use super::request::Request;
use super::rules::{ErrorShape, Rules};
use jiff::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};

static REQUESTS: AtomicU64 = AtomicU64::new(1);

/// A name for each answer, as long as the provider's own.
pub(super) fn next_id() -> String {
    let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
    hex(&md5(&number.to_be_bytes())).to_ascii_uppercase()
}

/// A refusal as it goes out.
pub(super) fn shaped(
    refused: &Refused,
    request: &Request,
    bucket: &str,
    rules: &Rules,
    id: &str,
) -> Answer {
    let mut fields = vec![
        ("Code", refused.code.to_owned()),
        ("Message", refused.message.clone()),
    ];
    let own = refused.fields.iter().cloned();
    match rules.shape {
        ErrorShape::Aws => {
            fields.extend(own);
            fields.push(("RequestId", id[..16].to_owned()));
            fields.push(("HostId", id.repeat(2)));
        }
        ErrorShape::R2 => {}
        ErrorShape::Oss => {
            fields.push(("RequestId", id[..24].to_owned()));
            fields.push(("HostId", request.host.clone()));
            if !bucket.is_empty() {
                fields.push(("BucketName", bucket.to_owned()));
            }
            fields.extend(own);
            if let Some(ec) = detail_code(refused) {
                fields.push(("EC", ec.to_owned()));
                let page = format!("https://api.aliyun.com/troubleshoot?q={ec}");
                fields.push(("RecommendDoc", page));
            }
        }
        ErrorShape::Cos => {
            fields.extend(own);
            fields.push(("Resource", request.path.clone()));
            fields.push(("RequestId", format!("NjY{}", &id[..24])));
            fields.push(("TraceId", id.repeat(2)));
        }
        ErrorShape::Minio => {
            fields.push(("Key", request.path.trim_start_matches('/').to_owned()));
            fields.push(("BucketName", bucket.to_owned()));
            fields.push(("Resource", request.path.clone()));
            fields.extend(own);
            fields.push(("RequestId", id[..16].to_owned()));
            fields.push(("HostId", id.repeat(2)));
        }
    }
    let inner: String = fields
        .iter()
        .map(|(name, value)| format!("<{name}>{}</{name}>", escaped(value)))
        .collect();
    let mut answer = Answer::xml(&format!("<Error>{inner}</Error>"));
    answer.status = refused.status;
    answer.headers.extend(refused.headers.iter().cloned());
    if let (ErrorShape::Oss, Some(ec)) = (rules.shape, detail_code(refused)) {
        answer = answer.with("x-oss-ec", ec);
    }
    answer
}

/// The headers that come with every answer.
pub(super) fn add_headers(answer: &mut Answer, rules: &Rules, id: &str, now: Timestamp) {
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    answer.headers.push(("date", date));
    let own: &[(&'static str, String)] = &match rules.shape {
        ErrorShape::Aws => vec![
            ("server", "AmazonS3".to_owned()),
            ("x-amz-request-id", id[..16].to_owned()),
            ("x-amz-id-2", id.repeat(2)),
        ],
        ErrorShape::R2 => vec![
            ("server", "cloudflare".to_owned()),
            ("cf-ray", format!("{}-FRA", id[..16].to_ascii_lowercase())),
        ],
        ErrorShape::Oss => vec![
            ("server", "AliyunOSS".to_owned()),
            ("x-oss-request-id", id[..24].to_owned()),
            ("x-oss-server-time", "3".to_owned()),
        ],
        ErrorShape::Cos => vec![
            ("server", "tencent-cos".to_owned()),
            ("x-cos-request-id", format!("NjY{}", &id[..24])),
            ("x-cos-trace-id", id.repeat(2)),
        ],
        ErrorShape::Minio => vec![
            ("server", "MinIO".to_owned()),
            ("x-amz-request-id", id[..16].to_owned()),
            ("x-amz-id-2", id.repeat(2)),
        ],
    };
    answer.headers.extend_from_slice(own);
}

/// What OSS calls EC, as far as it is known.
fn detail_code(refused: &Refused) -> Option<&'static str> {
    match refused.code {
        "RequestTimeTooSkewed" => Some("0002-00000501"),
        "InvalidArgument" if refused.message.starts_with("aws-chunked") => Some("0017-00000804"),
        "PublicEndpointForbidden" => Some("0048-00000401"),
        _ => None,
    }
}
