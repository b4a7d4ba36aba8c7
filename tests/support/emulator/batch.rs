//! `DeleteObjects`, and the digest that providers want with it.

use super::answer::{Answer, Outcome, Refused, element, elements, escaped};
use super::payload::has_checksum;
use super::problem::Problem;
use super::rules::BatchDelete;
use super::service::Call;

const MOST_KEYS: usize = 1_000;

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    check_digest(call)?;
    let body = String::from_utf8_lossy(&call.body).into_owned();
    let objects = elements(&body, "Object");
    let keys: Option<Vec<_>> = objects.iter().map(|one| element(one, "Key")).collect();
    let keys = keys.filter(|keys| !keys.is_empty() && keys.len() <= MOST_KEYS);
    let keys = keys.ok_or_else(|| call.rules.refuse(Problem::MalformedXml))?;
    let is_quiet = element(&body, "Quiet").as_deref() == Some("true");
    let mut rows = String::new();
    for key in keys {
        call.bucket.objects.remove(&key);
        if !is_quiet {
            rows.push_str(&format!("<Deleted><Key>{}</Key></Deleted>", escaped(&key)));
        }
    }
    Ok(Answer::xml(&format!(
        "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rows}</DeleteResult>"
    )))
}

fn check_digest(call: &Call<'_>) -> Result<(), Refused> {
    let has_md5 = call.request.header("content-md5").is_some();
    let refusal = match call.rules.batch_delete {
        BatchDelete::Bare => None,
        BatchDelete::Md5OrChecksum(refusal) => {
            (!has_md5 && !has_checksum(call.request)).then_some(refusal)
        }
        BatchDelete::Md5(refusal) => (!has_md5).then_some(refusal),
    };
    refusal.map_or(Ok(()), |refusal| Err(refusal.into()))
}
