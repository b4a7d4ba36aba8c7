//! One line that tells people where a destination is.

use super::clean::clean_root;
use super::error::harmless_name;
use super::resolve::resolve_endpoint;
use crate::model::Destination;

impl Destination {
    /// A short line that tells people where this is, without any secret.
    pub fn summary(&self) -> String {
        match self {
            Self::Folder(folder) => folder.path.display().to_string(),
            Self::S3(s3) => {
                let resolved = resolve_endpoint(s3);
                let (provider, bucket, root) = match resolved {
                    Ok(it) => (it.provider, it.bucket, it.root_path),
                    Err(_) => (
                        s3.provider,
                        harmless_name(&s3.bucket),
                        harmless_name(clean_root(&s3.root_path)),
                    ),
                };
                let separator = if root.is_empty() { "" } else { "/" };
                format!("{} · {bucket}{separator}{root}", provider.title())
            }
        }
    }
}
