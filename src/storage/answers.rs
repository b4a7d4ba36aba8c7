//! The XML of S3 that our own requests send and get. Nothing is asked for here.
//!
//! Rules: AWS "API operations"; what is missing in an answer is taken as empty, because gateways
//! leave out what they do not have.

use super::error::{Fault, StorageError};
use super::object::ObjectInfo;
use super::parts::StoredPart;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::HashSet;
use std::fmt::Write as _;

/// A part's or object's version tag, in an answer to a copy or a completion.
#[derive(Debug, Deserialize)]
struct Tagged {
    #[serde(rename = "ETag", default)]
    etag: Option<String>,
}

/// The answer to the beginning of an upload in parts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Begun {
    upload_id: String,
}

/// The id of an upload that was just begun.
pub(super) fn upload_id(xml: &str) -> Result<String, StorageError> {
    quick_xml::de::from_str::<Begun>(xml)
        .map(|begun| begun.upload_id)
        .map_err(|error| {
            StorageError::new(Fault::Other)
                .about("it began an upload and does not say which")
                .caused_by(error)
        })
}

/// One page of the objects that a bucket has.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ObjectsPage {
    #[serde(rename = "Contents")]
    pub(super) objects: Vec<ListedObject>,
    is_truncated: bool,
    next_continuation_token: Option<String>,
}

/// An object in a listing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedObject {
    pub(super) key: String,
    size: u64,
    last_modified: String,
    #[serde(rename = "ETag", default)]
    etag: Option<String>,
}

/// One page of the parts that an upload has.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct PartsPage {
    #[serde(rename = "Part")]
    parts: Vec<ListedPart>,
    is_truncated: bool,
    next_part_number_marker: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedPart {
    part_number: u32,
    size: u64,
    #[serde(rename = "ETag", default)]
    etag: String,
}

/// The buckets that somebody owns.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct BucketsPage {
    buckets: ListedBuckets,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListedBuckets {
    bucket: Vec<ListedBucket>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedBucket {
    name: String,
}

impl BucketsPage {
    /// Their names.
    pub(super) fn read(body: &str) -> Result<Vec<String>, StorageError> {
        let page: Self = read(body)?;
        let buckets = page.buckets.bucket.into_iter();
        Ok(buckets.map(|bucket| bucket.name).collect())
    }
}

/// What became of objects that were to be deleted in one request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct DeletedPage {
    deleted: Vec<DeletedObject>,
    #[serde(rename = "Error")]
    kept: Vec<DeletedObject>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeletedObject {
    /// The gateway of `JuiceFS` deletes, and does not say what.
    #[serde(default)]
    key: Option<String>,
}

impl DeletedPage {
    pub(super) fn read(body: &str) -> Result<Self, StorageError> {
        read(body)
    }

    /// Those that are gone, and of which nothing else is said.
    pub(super) fn keys(self) -> impl Iterator<Item = String> {
        let kept: HashSet<String> = self.kept.into_iter().filter_map(|one| one.key).collect();
        let gone = self.deleted.into_iter().filter_map(|one| one.key);
        gone.filter(move |key| !kept.contains(key))
    }
}

/// One page of the uploads that were begun.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct UploadsPage {
    #[serde(rename = "Upload")]
    pub(super) uploads: Vec<ListedUpload>,
    is_truncated: bool,
    next_key_marker: Option<String>,
    next_upload_id_marker: Option<String>,
}

/// An upload in a listing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListedUpload {
    pub(super) key: String,
    pub(super) upload_id: String,
    #[serde(default)]
    initiated: Option<String>,
}

impl ObjectsPage {
    pub(super) fn read(body: &str) -> Result<Self, StorageError> {
        read(body)
    }

    /// What asks for the next page; `None` after the last.
    pub(super) fn next(&self) -> Option<String> {
        let token = self.next_continuation_token.clone();
        token.filter(|token| self.is_truncated && !token.is_empty())
    }
}

impl ListedObject {
    pub(super) fn info(self) -> Result<ObjectInfo, StorageError> {
        let stored = self.last_modified.trim().parse();
        let stored: Timestamp = stored.map_err(unreadable)?;
        Ok(ObjectInfo {
            key: self.key,
            size_bytes: self.size,
            stored,
            etag: self.etag.as_deref().and_then(tag),
        })
    }
}

impl PartsPage {
    pub(super) fn read(body: &str) -> Result<Self, StorageError> {
        read(body)
    }

    /// Where the next page begins; `None` after the last.
    pub(super) fn next(&self) -> Option<String> {
        let last = || self.parts.last().map(|part| part.part_number.to_string());
        let marker = self.next_part_number_marker.clone();
        self.is_truncated
            .then(|| marker.filter(|marker| !marker.is_empty()).or_else(last))?
    }

    /// The parts in the order of their numbers, as the server has them.
    pub(super) fn parts(self) -> impl Iterator<Item = StoredPart> {
        self.parts.into_iter().map(|part| StoredPart {
            number: part.part_number,
            bytes: part.size,
            etag: tag(&part.etag).unwrap_or_default(),
        })
    }
}

impl UploadsPage {
    pub(super) fn read(body: &str) -> Result<Self, StorageError> {
        read(body)
    }

    /// Where the next page begins: key and upload id; `None` after the last.
    pub(super) fn next(&self) -> Option<(String, String)> {
        let last = self.uploads.last();
        let key = self.next_key_marker.clone().filter(|key| !key.is_empty());
        let key = key.or_else(|| Some(last?.key.clone()));
        let id = self.next_upload_id_marker.clone();
        let id = id.filter(|id| !id.is_empty());
        let id = id.or_else(|| Some(last?.upload_id.clone()));
        self.is_truncated.then_some((key?, id.unwrap_or_default()))
    }
}

impl ListedUpload {
    /// When it was begun, where the server says so in a form that we read.
    pub(super) fn begun(&self) -> Option<Timestamp> {
        self.initiated.as_deref()?.trim().parse().ok()
    }
}

/// The version tag in an answer to a copy or a completion; some gateways answer without one.
pub(super) fn tag_in(body: &str) -> Option<String> {
    let tagged: Tagged = read(body).ok()?;
    tag(&tagged.etag?)
}

/// Whether a body is an error, whatever its status says.
pub(super) fn is_error(body: &str) -> bool {
    let root = body.trim_start_matches('\u{feff}').trim_start();
    let root = match root.strip_prefix("<?xml") {
        Some(rest) => rest
            .split_once("?>")
            .map_or("", |(_, rest)| rest)
            .trim_start(),
        None => root,
    };
    root.strip_prefix("<Error")
        .is_some_and(|rest| rest.starts_with(['>', ' ', '/', '\n', '\r']))
}

/// A version tag in one form, with its quotes: servers give it with and without, and proxies on the way
/// mark it as weak.
pub(super) fn tag(text: &str) -> Option<String> {
    let text = text.trim();
    let bare = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
    (!bare.is_empty()).then(|| format!("\"{bare}\""))
}

/// What makes an object of these parts.
pub(super) fn completion(parts: &[StoredPart]) -> String {
    let mut body =
        String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for part in parts {
        let etag = quick_xml::escape::escape(part.etag.as_str());
        let number = part.number;
        // Writing to a string cannot fail.
        write!(
            body,
            "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        )
        .ok();
    }
    body.push_str("</CompleteMultipartUpload>");
    body
}

/// What has objects of these keys deleted.
pub(super) fn deletion(keys: &[&str]) -> String {
    let mut body = String::from("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for key in keys {
        let key = quick_xml::escape::escape(*key);
        // Writing to a string cannot fail.
        write!(body, "<Object><Key>{key}</Key></Object>").ok();
    }
    body.push_str("</Delete>");
    body
}

fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, StorageError> {
    // Spaces before the declaration keep a slow answer's line alive.
    quick_xml::de::from_str(body.trim_start_matches('\u{feff}').trim_start()).map_err(unreadable)
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> StorageError {
    StorageError::new(Fault::Other)
        .about("its answer cannot be read")
        .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_are_read_with_their_next_page() {
        let page = PartsPage::read(
            "\n <?xml version=\"1.0\"?><ListPartsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Bucket>b</Bucket><IsTruncated>true</IsTruncated><NextPartNumberMarker>7</NextPartNumberMarker>\
             <Part><PartNumber>3</PartNumber><ETag>&quot;a&quot;</ETag><Size>5</Size></Part>\
             <Owner><ID>x</ID></Owner>\
             <Part><PartNumber>7</PartNumber><ETag>b</ETag><Size>6</Size></Part></ListPartsResult>",
        )
        .expect("read");
        assert_eq!(page.next().as_deref(), Some("7"));
        let parts: Vec<_> = page.parts().map(|p| (p.number, p.bytes, p.etag)).collect();
        assert_eq!(
            parts,
            [(3, 5, "\"a\"".to_owned()), (7, 6, "\"b\"".to_owned())]
        );
    }

    #[test]
    fn uploads_are_read_with_their_next_page() {
        let page = UploadsPage::read(
            "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><Upload><Key>r/a &amp; b.zip</Key>\
             <UploadId>id1</UploadId><Initiated>2026-11-22T10:00:00.000Z</Initiated></Upload></ListMultipartUploadsResult>",
        )
        .expect("read");
        assert_eq!(
            page.next(),
            Some(("r/a & b.zip".to_owned(), "id1".to_owned()))
        );
        assert_eq!(
            page.uploads[0].begun().map(jiff::Timestamp::as_second),
            Some(1_795_341_600)
        );
        let none = UploadsPage::read("<ListMultipartUploadsResult/>").expect("read");
        assert!(none.uploads.is_empty() && none.next().is_none());
    }

    #[test]
    fn objects_are_read_with_their_next_page() {
        let page = ObjectsPage::read(
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix>r/</Prefix>\
             <IsTruncated>true</IsTruncated><NextContinuationToken>1/a+b=</NextContinuationToken>\
             <Contents><Key>r/a &amp; b.zip</Key><LastModified>2026-11-22T10:00:00.000Z</LastModified>\
             <ETag>&quot;x&quot;</ETag><Size>7</Size></Contents><CommonPrefixes><Prefix>r/f/</Prefix></CommonPrefixes>\
             <Contents><Key>r/Icon&#13;</Key><LastModified>2026-11-22T10:00:00Z</LastModified><Size>0</Size></Contents>\
             </ListBucketResult>",
        )
        .expect("read");
        assert_eq!(page.next().as_deref(), Some("1/a+b="));
        let infos = page.objects.into_iter().map(ListedObject::info);
        let infos: Vec<_> = infos.collect::<Result<_, _>>().expect("read");
        let own = |at: usize| (infos[at].key.as_str(), infos[at].size_bytes);
        assert_eq!((own(0), own(1)), (("r/a & b.zip", 7), ("r/Icon\r", 0)));
        assert_eq!(infos[0].etag.as_deref(), Some("\"x\""));
        assert_eq!(infos[0].stored.as_second(), 1_795_341_600);
        let last = ObjectsPage::read("<ListBucketResult/>").expect("read");
        assert!(last.objects.is_empty() && last.next().is_none());
    }

    #[test]
    fn of_a_deletion_only_what_is_confirmed_counts() {
        let keys = |body: &str| DeletedPage::read(body).map(|page| page.keys().collect::<Vec<_>>());
        let answer = "<?xml version=\"1.0\"?><DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Deleted><Key>r/a &amp; b.zip</Key></Deleted><Error><Key>r/c.zip</Key><Code>AccessDenied</Code></Error>\
             <Deleted><Key>r/d.zip</Key><VersionId>1</VersionId></Deleted></DeleteResult>";
        assert!(!is_error(answer));
        assert_eq!(keys(answer).expect("read"), ["r/a & b.zip", "r/d.zip"]);
        assert_eq!(keys("<DeleteResult/>").expect("read"), [""; 0]);
        let unsaid =
            "<DeleteResult><Deleted></Deleted><Deleted><Key>a</Key></Deleted></DeleteResult>";
        assert_eq!(keys(unsaid).expect("read"), ["a"]);
        let both = "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>a</Key></Error></DeleteResult>";
        assert_eq!(keys(both).expect("read"), [""; 0]);
        assert!(keys("gone").is_err());
        assert_eq!(
            deletion(&["r/a & b.zip"]),
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>r/a &amp; b.zip</Key></Object></Delete>"
        );
    }

    #[test]
    fn an_error_in_a_success_is_seen() {
        assert!(is_error("<Error><Code>InternalError</Code></Error>"));
        assert!(is_error(
            "  <?xml version=\"1.0\"?>\n<Error xmlns=\"x\"><Code>y</Code></Error>"
        ));
        assert!(!is_error(
            "<CopyPartResult><ETag>\"Error\"</ETag></CopyPartResult>"
        ));
        assert!(!is_error("") && !is_error("<Errors></Errors>"));
    }

    #[test]
    fn a_copy_without_a_tag_has_none() {
        let tagged = "<CopyPartResult><ETag>&quot;x&quot;</ETag></CopyPartResult>";
        assert_eq!(tag_in(tagged).as_deref(), Some("\"x\""));
        for empty in [
            "",
            "<CopyPartResult/>",
            "<CopyPartResult><ETag></ETag></CopyPartResult>",
        ] {
            assert_eq!(tag_in(empty), None, "{empty}");
        }
    }

    #[test]
    fn a_tag_has_one_form_however_it_comes() {
        for text in ["abc-2", "\"abc-2\"", " \"abc-2\" ", "W/\"abc-2\""] {
            assert_eq!(tag(text).as_deref(), Some("\"abc-2\""), "{text}");
        }
        for none in ["", "\"\"", "W/\"\""] {
            assert_eq!(tag(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn any_tag_goes_out_as_it_came_in(bare in "[^\"\\s\\p{Cc}]{1,20}", number in 1..=10_000_u32) {
            let part = StoredPart { number, bytes: 1, etag: format!("\"{bare}\"") };
            let body = completion(std::slice::from_ref(&part));
            let inner = body.split("<Part>").nth(1).expect("a part");
            let part_xml = format!("<Part>{}", inner.split("</Part>").next().expect("its end"));
            prop_assert_eq!(tag_in(&format!("{part_xml}</Part>")), Some(part.etag));
        }

        #[test]
        fn any_answer_is_read_or_refused(body in "(<[A-Za-z/]{0,9}>|[a-z0-9<&;]){0,40}") {
            PartsPage::read(&body).map(|page| page.next()).ok();
            ObjectsPage::read(&body).map(|page| page.next()).ok();
            UploadsPage::read(&body).map(|page| page.next()).ok();
            is_error(&body);
        }
    }
}
