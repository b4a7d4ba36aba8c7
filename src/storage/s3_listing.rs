//! The list of a bucket's objects, page by page.
//!
//! Not `object_store`'s own: it gives up on a whole bucket for one name in it that it does not take, and
//! other programs may keep there what they like.

use super::answers::{ListedObject, ObjectsPage};
use super::deadline::Load;
use super::error::StorageError;
use super::explain::Asked;
use super::object::ObjectInfo;
use super::pages::all_pages;
use super::s3_upload::Bucket;
use super::signed::Ask;
use bytes::Bytes;
use http::Method;
use object_store::path::Path;

/// What a page of a thousand objects weighs, for its deadline.
const PAGE_BYTES: u64 = 512 * 1024;

impl Bucket {
    /// The objects whose keys are `prefix` and one more segment, as far as they can be asked for by
    /// their keys. Tries only for seconds.
    pub(super) async fn objects(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StorageError> {
        let pages = all_pages("objects", |token: Option<String>| async move {
            let mut query = vec![("list-type", "2"), ("delimiter", "/")];
            if !prefix.is_empty() {
                query.push(("prefix", prefix));
            }
            if let Some(token) = &token {
                query.push(("continuation-token", token));
            }
            let list = || async {
                let ask = Ask {
                    method: Method::GET,
                    key: None,
                    query: &query,
                    headers: &[],
                    body: Bytes::new(),
                    asked: Asked::Bucket,
                };
                self.first_contact.send(ask).await
            };
            let load = Load::receives(PAGE_BYTES);
            let page = ObjectsPage::read(&self.quick.run(load, list).await?)?;
            let next = page.next();
            Ok((page.objects, next))
        });
        let objects = pages.await?.into_iter().flatten();
        // Some gateways list the emptied folder itself, or look at neither prefix nor delimiter.
        let ours = objects.filter(|object| {
            let name = object.key.strip_prefix(prefix);
            let is_below = name.is_some_and(|name| !name.is_empty() && !name.contains('/'));
            is_below && Path::parse(&object.key).is_ok()
        });
        ours.map(ListedObject::info).collect()
    }
}
