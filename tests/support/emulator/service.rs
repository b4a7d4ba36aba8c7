//! One request from its beginning to its answer: who asks, for what, and whether that is allowed.

use super::answer::{Answer, Outcome, Refused, elements};
use super::conduct::{Access, Conduct, Key, Public, WrongRegion};
use super::ledger::Kind;
use super::problem::{Problem, Refusal};
use super::request::{Plus, Request, decoded};
use super::rules::{ErrorShape, PathStyle, Regions, Rules};
use super::signature::{Claim, Signed};
use super::store::{Bucket, Store};
use super::target::Target;
use super::{batch, listing, multipart, objects, part_copy, payload};
use bytes::Bytes;
use jiff::Timestamp;

/// A request that is allowed, with everything that carrying it out needs.
pub(super) struct Call<'a> {
    pub(super) rules: &'a Rules,
    pub(super) conduct: &'a Conduct,
    pub(super) request: &'a Request,
    pub(super) bucket: &'a mut Bucket,
    pub(super) bucket_name: &'a str,
    /// Empty for the bucket itself.
    pub(super) key: &'a str,
    /// Checked, and without its coding.
    pub(super) body: Bytes,
    pub(super) now: Timestamp,
    /// The provider's own host was used.
    pub(super) is_public_host: bool,
    /// The key may list below a prefix alone: to it nobody says that an object is missing (AWS, `HeadObject`
    /// and `GetObject`: 403 without `s3:ListBucket`).
    pub(super) hides_missing: bool,
}

/// What a server is, for one request.
pub(super) struct Scene<'a> {
    pub(super) rules: &'a Rules,
    pub(super) conduct: &'a Conduct,
    pub(super) keys: &'a [Key],
    pub(super) now: Timestamp,
}

impl Scene<'_> {
    /// Answers a request.
    pub(super) fn answer(&self, request: &Request, target: &Target, store: &mut Store) -> Outcome {
        if let PathStyle::Forbidden(refusal) = self.rules.path_style
            && target.address.bucket.is_none()
            && !target.bucket.is_empty()
        {
            return Err(refusal.into());
        }
        if self.rules.shape == ErrorShape::Aws
            && target.kind == Kind::HeadBucket
            && request.header("authorization").is_none()
        {
            return Err(self.told_to_anybody(target, store));
        }
        let signed = self.who(request, target)?;
        if request.has_no_length {
            return Err(self.rules.refuse(Problem::LengthMissing));
        }
        if request.body.len() as u64 > self.rules.most_put_bytes {
            return Err(self.rules.refuse(Problem::TooLarge));
        }
        self.check_access(request, target, signed.as_ref())?;
        let body = payload::checked(request, signed.as_ref(), self.rules)?;
        if target.kind == Kind::ListBuckets {
            return Ok(listing::buckets(store));
        }
        let bucket = self.bucket(target, store)?;
        let access = signed.as_ref().map(|signed| signed.key.access);
        let mut call = Call {
            rules: self.rules,
            conduct: self.conduct,
            request,
            bucket,
            bucket_name: &target.bucket,
            key: &target.key,
            body,
            now: self.now,
            is_public_host: target.address.is_public(),
            hides_missing: matches!(access, Some(Access::OnlyBelow(_))),
        };
        call.carry_out(target.kind)
    }

    /// What AWS says to anybody who asks for a bucket's head: whether it is there, and in which region.
    fn told_to_anybody(&self, target: &Target, store: &Store) -> Refused {
        let home = self.conduct.region.as_str();
        if !store.contains_key(&target.bucket) {
            return self.rules.refuse(Problem::NoBucket);
        }
        if target
            .address
            .region
            .as_deref()
            .is_some_and(|host| host != home)
        {
            return self.redirect(target);
        }
        let refused = self.rules.refuse(Problem::Anonymous);
        refused.header("x-amz-bucket-region", home)
    }

    /// Who signed it; nobody where the signature is missing and that is allowed.
    fn who(&self, request: &Request, target: &Target) -> Result<Option<Signed>, Refused> {
        let Some(claim) = Claim::read(request, self.rules)? else {
            if self.conduct.public.allows(target.kind) {
                return Ok(None);
            }
            if self.conduct.public == Public::Busy {
                return Err(
                    Refusal::new(503, "SlowDown", "Please reduce your request rate.").into(),
                );
            }
            return Err(self.rules.refuse(Problem::Anonymous));
        };
        self.check_scope(&claim.region, target)?;
        let signed = claim.check(request, self.keys, self.rules, self.now)?;
        Ok(Some(signed))
    }

    /// The region in the scope of the signature.
    fn check_scope(&self, region: &str, target: &Target) -> Result<(), Refused> {
        let malformed = |expected: &str, message: String| {
            let refused = self.rules.refuse(Problem::MalformedAuthorization);
            Err(refused.saying(message).field("Region", expected))
        };
        let home = self.conduct.region.as_str();
        match self.rules.regions {
            Regions::Any => Ok(()),
            Regions::OneOf(names) if names.contains(&region) => Ok(()),
            Regions::OneOf(_) => Err(Refused::from(Refusal::new(400, "InvalidRegionName", ""))
                .saying(format!(
                    "The region name '{region}' is not valid. Must be one of: wnam, enam, weur, eeur, apac, oc, auto"
                ))),
            Regions::Minio if region == home => Ok(()),
            Regions::Minio => malformed(
                home,
                format!(
                    "The authorization header is malformed; the region is wrong; expecting '{home}'."
                ),
            ),
            Regions::Aws => {
                let expected = target.address.region.as_deref().unwrap_or(home);
                if self.conduct.wrong_region == WrongRegion::Redirected && region != home {
                    return Err(self.redirect(target));
                }
                if region == expected {
                    return Ok(());
                }
                malformed(
                    expected,
                    format!(
                        "The authorization header is malformed; the region '{region}' is wrong; expecting '{expected}'"
                    ),
                )
            }
        }
    }

    /// AWS's own answer at the host of another region than the bucket's.
    fn redirect(&self, target: &Target) -> Refused {
        let (home, bucket) = (&self.conduct.region, &target.bucket);
        let endpoint = match &target.address.bucket {
            Some(bucket) => format!("{bucket}.s3.{home}.amazonaws.com"),
            None => format!("s3.{home}.amazonaws.com"),
        };
        Refused::from(Refusal::new(301, "PermanentRedirect", ADDRESSED))
            .field("Endpoint", endpoint)
            .field("Bucket", bucket)
            .header("x-amz-bucket-region", home)
    }

    fn redirect_for_now(&self, target: &Target) -> Refused {
        let host = format!("{}.s3.{}.amazonaws.com", target.bucket, self.conduct.region);
        Refused::from(Refusal::new(307, "TemporaryRedirect", FOR_NOW))
            .field("Endpoint", &host)
            .field("Bucket", &target.bucket)
            .header("location", format!("https://{host}/{}", target.key))
    }

    fn check_access(
        &self,
        request: &Request,
        target: &Target,
        signed: Option<&Signed>,
    ) -> Result<(), Refused> {
        if self.conduct.is_public_endpoint_forbidden && target.address.is_public() {
            return Err(PUBLIC_ENDPOINT.into());
        }
        let mut own = self.conduct.refusals.iter();
        if let Some((_, refusal)) = own.find(|(kind, _)| *kind == target.kind) {
            return Err((*refusal).into());
        }
        let access = signed.map_or(Access::Everything, |signed| signed.key.access);
        let is_beside =
            matches!(access, Access::OnlyBelow(root) if !is_below(root, request, target));
        if !access.allows(target.kind) || is_beside {
            let denied = self.rules.refuse(Problem::Denied);
            return Err(match self.rules.shape {
                ErrorShape::Aws => denied.header("x-amz-bucket-region", &self.conduct.region),
                _ => denied,
            });
        }
        if target.kind == Kind::Other {
            return Err(self.rules.refuse(Problem::NotImplemented));
        }
        Ok(())
    }

    /// The bucket, if it is at this host.
    fn bucket<'a>(&self, target: &Target, store: &'a mut Store) -> Result<&'a mut Bucket, Refused> {
        let home = self.conduct.region.as_str();
        let no_bucket = || {
            let refused = self.rules.refuse(Problem::NoBucket);
            match self.rules.shape {
                ErrorShape::Aws => refused.field("BucketName", &target.bucket),
                _ => refused,
            }
        };
        let bucket = store.get_mut(&target.bucket).ok_or_else(no_bucket)?;
        let elsewhere = target
            .address
            .region
            .as_deref()
            .filter(|host| *host != home);
        match (self.rules.shape, elsewhere) {
            (_, None) => Ok(bucket),
            (ErrorShape::Aws, Some(_)) => Err(match self.conduct.wrong_region {
                WrongRegion::RedirectedForNow => self.redirect_for_now(target),
                WrongRegion::Named | WrongRegion::Redirected => self.redirect(target),
            }),
            // The host of its S3 protocol does not even say that there is such a bucket.
            (ErrorShape::Oss, Some(_))
                if !target
                    .address
                    .pattern
                    .is_some_and(|own| own.starts_with("s3.")) =>
            {
                let refused = Refused::from(Refusal::new(403, "AccessDenied", ADDRESSED));
                Err(refused.field("Endpoint", format!("oss-{home}.aliyuncs.com")))
            }
            _ => Err(no_bucket()),
        }
    }
}

/// Whether all that a request names is below this root path. `ListMultipartUploads` knows no condition on the
/// prefix.
fn is_below(root: &str, request: &Request, target: &Target) -> bool {
    let below = format!("{root}/");
    match target.kind {
        Kind::List => {
            let prefix = request.query("prefix");
            prefix.is_some_and(|prefix| prefix.starts_with(&below))
        }
        Kind::ListUploads => true,
        Kind::DeleteBatch => {
            let body = String::from_utf8_lossy(&request.body);
            let keys = elements(&body, "Key");
            keys.iter().all(|key| key.starts_with(&below))
        }
        _ => {
            let source = request.header("x-amz-copy-source");
            let source = source.map(|source| decoded(source, Plus::Stays));
            let is_source_below = source.is_none_or(|source| {
                let key = source.trim_start_matches('/').split_once('/');
                key.is_some_and(|(_, key)| key.starts_with(&below))
            });
            target.key.starts_with(&below) && is_source_below
        }
    }
}

const ADDRESSED: &str = "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.";

const FOR_NOW: &str = "Please re-send this request to the specified temporary endpoint. Continue to use the original request endpoint for future requests.";

const PUBLIC_ENDPOINT: Refusal = Refusal::new(
    400,
    "PublicEndpointForbidden",
    "Your bucket is not allowed to be accessed through the default public endpoint. Use a custom domain instead.",
);

impl Call<'_> {
    fn carry_out(&mut self, kind: Kind) -> Outcome {
        match kind {
            Kind::HeadBucket => Ok(self.with_region(Answer::new(200))),
            Kind::Location => Ok(Answer::xml(&format!(
                "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}</LocationConstraint>",
                // The oldest region has no name.
                Some(self.conduct.region.as_str())
                    .filter(|region| *region != "us-east-1")
                    .unwrap_or_default()
            ))),
            Kind::List => listing::objects(self),
            Kind::ListUploads => listing::uploads(self),
            Kind::ListParts => listing::parts(self),
            Kind::DeleteBatch => batch::delete(self),
            Kind::Head | Kind::Get => objects::read(self),
            Kind::Put => objects::put(self),
            Kind::Delete => objects::delete(self),
            Kind::CopyObject => part_copy::object(self),
            Kind::CreateUpload => multipart::create(self),
            Kind::UploadPart => multipart::put_part(self),
            Kind::CopyPart => part_copy::part(self),
            Kind::Complete => multipart::complete(self),
            Kind::Abort => multipart::abort(self),
            Kind::ListBuckets | Kind::Other => Err(self.rules.refuse(Problem::NotImplemented)),
        }
    }

    fn with_region(&self, answer: Answer) -> Answer {
        match self.rules.shape {
            ErrorShape::Aws => answer.with("x-amz-bucket-region", &self.conduct.region),
            ErrorShape::Cos => answer.with("x-cos-bucket-region", &self.conduct.region),
            ErrorShape::R2 | ErrorShape::Oss | ErrorShape::Minio => answer,
        }
    }
}
