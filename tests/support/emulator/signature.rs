//! Signatures of AWS, version 4, in the `Authorization` header.

use super::answer::Refused;
use super::conduct::Key;
use super::digest::{hex, hmac_sha256, sha256};
use super::problem::Problem;
use super::request::{Request, encoded};
use super::rules::{ErrorShape, Rules};
use jiff::Timestamp;

/// How far a request's clock may be off.
const MOST_SKEW_SECS: i64 = 900;
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const STAMP: &str = "%Y%m%dT%H%M%SZ";

/// What an `Authorization` header says.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) key_id: String,
    pub(super) region: String,
    day: String,
    signed_headers: Vec<String>,
    signature: String,
    /// The `x-amz-date` header.
    stamp: String,
}

/// A signature that was good; its chunks' signatures go on from it.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub(super) key: Key,
    pub(super) signing_key: Vec<u8>,
    pub(super) scope: String,
    pub(super) stamp: String,
    pub(super) signature: String,
}

impl Claim {
    /// Reads the header; `None` where there is none.
    pub(super) fn read(request: &Request, rules: &Rules) -> Result<Option<Self>, Refused> {
        let Some(text) = request.header("authorization") else {
            return Ok(None);
        };
        let Some(fields) = text.strip_prefix(ALGORITHM) else {
            return Err(rules.refuse(Problem::OtherSigning));
        };
        let malformed = || rules.refuse(Problem::MalformedAuthorization);
        let field = |name: &str| {
            let mut fields = fields.split(',').map(str::trim);
            fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
        };
        let credential = field("Credential").ok_or_else(malformed)?;
        let scope: Vec<_> = credential.rsplitn(5, '/').collect();
        let ["aws4_request", "s3", region, day, key_id] = scope[..] else {
            return Err(malformed());
        };
        let signed_headers = field("SignedHeaders").ok_or_else(malformed)?;
        let stamp = request.header("x-amz-date").ok_or_else(malformed)?;
        if !stamp.starts_with(day) {
            return Err(malformed());
        }
        Ok(Some(Self {
            key_id: key_id.to_owned(),
            region: region.to_owned(),
            day: day.to_owned(),
            signed_headers: signed_headers.split(';').map(str::to_owned).collect(),
            signature: field("Signature").ok_or_else(malformed)?.to_owned(),
            stamp: stamp.to_owned(),
        }))
    }

    /// Checks key, clock and signature.
    pub(super) fn check(
        self,
        request: &Request,
        keys: &[Key],
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Signed, Refused> {
        let key = keys.iter().find(|key| key.id == self.key_id);
        let key = key.ok_or_else(|| {
            let unknown = rules.refuse(Problem::UnknownKey);
            match rules.shape {
                ErrorShape::R2 => unknown,
                ErrorShape::Oss => unknown.field("OSSAccessKeyId", &self.key_id),
                _ => unknown.field("AWSAccessKeyId", &self.key_id),
            }
        })?;
        self.check_clock(rules, now)?;
        check_token(request, key, rules)?;
        let is_signed = |name: &str| self.signed_headers.iter().any(|signed| signed == name);
        let has_to_be = |name: &&String| *name == "host" || name.starts_with("x-amz-");
        if !request
            .headers
            .keys()
            .filter(has_to_be)
            .all(|name| is_signed(name))
        {
            return Err(rules.refuse(Problem::UnsignedHeader));
        }
        let scope = format!("{}/{}/s3/aws4_request", self.day, self.region);
        let canonical = self.canonical(request);
        let to_sign = format!(
            "{ALGORITHM}\n{}\n{scope}\n{}",
            self.stamp,
            hex(&sha256(canonical.as_bytes()))
        );
        let signing_key = scope
            .split('/')
            .fold(format!("AWS4{}", key.secret).into_bytes(), |key, part| {
                hmac_sha256(&key, part.as_bytes())
            });
        if hex(&hmac_sha256(&signing_key, to_sign.as_bytes())) != self.signature {
            let wrong = rules.refuse(Problem::WrongSecret);
            return Err(match rules.shape {
                ErrorShape::Aws => wrong
                    .field("AWSAccessKeyId", &self.key_id)
                    .field("StringToSign", &to_sign)
                    .field("SignatureProvided", &self.signature)
                    .field("CanonicalRequest", &canonical),
                _ => wrong,
            });
        }
        Ok(Signed {
            key: key.clone(),
            signing_key,
            scope,
            stamp: self.stamp,
            signature: self.signature,
        })
    }

    fn check_clock(&self, rules: &Rules, now: Timestamp) -> Result<(), Refused> {
        let civil = jiff::civil::DateTime::strptime(STAMP, &self.stamp);
        let stamp = civil.and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC));
        let stamp = stamp.map_err(|_| rules.refuse(Problem::MalformedAuthorization))?;
        let off_secs = stamp.timestamp().as_second() - now.as_second();
        if off_secs.abs() <= MOST_SKEW_SECS {
            return Ok(());
        }
        let skewed = rules.refuse(Problem::Skew);
        Err(match rules.shape {
            ErrorShape::Aws | ErrorShape::Oss => skewed
                .field("RequestTime", &self.stamp)
                .field("ServerTime", now.strftime("%Y-%m-%dT%H:%M:%SZ"))
                .field("MaxAllowedSkewMilliseconds", MOST_SKEW_SECS * 1_000),
            ErrorShape::R2 | ErrorShape::Cos | ErrorShape::Minio => skewed,
        })
    }

    fn canonical(&self, request: &Request) -> String {
        let mut pairs: Vec<_> = request
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name, ""), encoded(value, "")))
            .collect();
        pairs.sort();
        let headers: String = self
            .signed_headers
            .iter()
            .map(|name| {
                let value = request.header(name).unwrap_or_default();
                let words: Vec<_> = value.split_whitespace().collect();
                format!("{name}:{}\n", words.join(" "))
            })
            .collect();
        format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            request.method,
            encoded(&request.path, "/"),
            pairs.join("&"),
            self.signed_headers.join(";"),
            request.header("x-amz-content-sha256").unwrap_or_default()
        )
    }
}

fn check_token(request: &Request, key: &Key, rules: &Rules) -> Result<(), Refused> {
    let token = request.header("x-amz-security-token");
    if token != key.session_token.as_deref() {
        return Err(rules.refuse(if token.is_none() {
            // Temporary keys are not known without their token.
            Problem::UnknownKey
        } else {
            Problem::TokenInvalid
        }));
    }
    if key.is_expired {
        return Err(rules.refuse(Problem::TokenExpired));
    }
    Ok(())
}
