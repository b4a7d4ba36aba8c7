//! One connection of a client: request after request to the server and its answers back, with the
//! faults in between.

use super::answer;
use super::control::Shared;
use super::fault::Fault;
use super::head::{AnswerHead, Length, RequestHead};
use super::ledger::{Entry, Moment};
use super::message::Body;
use super::parts::are_of_one_size;
use super::pump::{Broken, Manner, Passed, Pump};
use super::step::Step;
use super::stream::{Inflow, Outflow};
use super::wire::Wire;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpStream;

/// What becomes of the client's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Next,
    Close,
    Reset,
}

/// A connection to the server, kept from request to request.
struct Upstream {
    inflow: Inflow,
    outflow: Outflow,
}

struct Request {
    head: RequestHead,
    head_bytes: Vec<u8>,
    body: Body,
    entry: Arc<Entry>,
}

/// Serves one client to the end of its connection.
pub(super) async fn serve(client: TcpStream, shared: Arc<Shared>) {
    // Without it small answers wait for acknowledgements; a socket that is gone shows later.
    client.set_nodelay(true).ok();
    tokio::time::sleep(shared.up.greeting()).await;
    let mut wire = Wire::open(client, &shared.up, &shared.down);
    let mut upstream = None;
    let mut after = After::Next;
    while after == After::Next {
        let request = next_request(&mut wire, &shared).await;
        after = match request {
            Ok(Some(request)) => one(request, &mut wire, &mut upstream, &shared)
                .await
                .unwrap_or(After::Close),
            Ok(None) | Err(_) => After::Close,
        };
    }
    // The server must see the end even where the client's side takes long.
    drop(upstream);
    wire.end(after).await;
}

async fn next_request(wire: &mut Wire, shared: &Shared) -> io::Result<Option<Request>> {
    let Some(head_bytes) = wire.inflow.head().await? else {
        return Ok(None);
    };
    let head = RequestHead::parse(&head_bytes)?;
    let step = Step::of(&head);
    let entry = Entry::new(
        &head,
        head_bytes.len(),
        shared.fault_for(step, head.part_number()),
    );
    let entry = shared.ledger.add(entry);
    reach(shared, step, Moment::Arrives).await;
    Ok(Some(Request {
        body: Body::new(head.length()),
        head,
        head_bytes,
        entry,
    }))
}

/// Does what was asked for this moment, off the threads that move bytes.
async fn reach(shared: &Shared, step: Step, moment: Moment) {
    for act in shared.ledger.reach(step, moment) {
        tokio::task::spawn_blocking(act).await.ok();
    }
}

async fn one(
    mut request: Request,
    wire: &mut Wire,
    kept: &mut Option<Upstream>,
    shared: &Shared,
) -> io::Result<After> {
    let fault = request.entry.fault;
    if let Some((status, bytes)) = fault.and_then(|fault| answer::made(fault, &request.head.method))
    {
        return refuse(&mut request, wire, status, &bytes).await;
    }
    if request.entry.step == Step::Complete && shared.wants_equal_parts() {
        let completion = request.body.payload(&mut wire.inflow).await?;
        let parts = shared
            .ledger
            .parts_of(request.head.query("uploadId").unwrap_or_default());
        if !are_of_one_size(&parts, &completion) {
            let (status, bytes) = answer::unequal_parts();
            return refuse(&mut request, wire, status, &bytes).await;
        }
        // It was only looked at.
        request.body = Body::new(Length::Bytes(completion.len() as u64));
        wire.inflow.unread(completion.into());
    }
    loop {
        let idle = kept.take().filter(|kept| kept.inflow.is_idle());
        let is_kept = idle.is_some();
        let mut upstream = match idle {
            Some(idle) => idle,
            None => match connect(shared).await {
                Ok(new) => new,
                Err(_) => return Ok(After::Reset),
            },
        };
        match converse(&mut request, wire, &mut upstream, shared).await? {
            Replied::After(After::Next) if request.head.ends_the_connection() => {
                return Ok(After::Close);
            }
            Replied::After(After::Next) => {
                *kept = Some(upstream);
                return Ok(After::Next);
            }
            Replied::After(after) => return Ok(after),
            // The server has just ended the idle connection: no fault that a test asked for.
            Replied::Nothing if is_kept && request.head.length() == Length::Bytes(0) => {}
            Replied::Nothing => return Ok(After::Reset),
        }
    }
}

/// How the server has answered.
enum Replied {
    After(After),
    /// It has ended the connection without a byte.
    Nothing,
}

/// Sends one request and passes its answer back, both at once.
async fn converse(
    request: &mut Request,
    wire: &mut Wire,
    upstream: &mut Upstream,
    shared: &Shared,
) -> io::Result<Replied> {
    let entry = Arc::clone(&request.entry);
    let reply = Reply {
        from: &mut upstream.inflow,
        to: &mut wire.outflow,
        entry: &entry,
        method: request.head.method.clone(),
        shared,
    };
    let sending = send(request, &mut wire.inflow, &mut upstream.outflow);
    tokio::pin!(sending);
    let answering = reply.pass();
    tokio::pin!(answering);
    let mut is_sent = false;
    loop {
        tokio::select! {
            sent = &mut sending, if !is_sent => match sent? {
                Passed::Whole => is_sent = true,
                Passed::Cut => return Ok(Replied::After(After::Reset)),
            },
            answered = &mut answering => match answered? {
                // A server that answers early may not read the rest.
                Replied::After(After::Next) if !is_sent => {
                    return Ok(Replied::After(After::Close));
                }
                replied => return Ok(replied),
            },
        }
    }
}

async fn connect(shared: &Shared) -> io::Result<Upstream> {
    let server = shared.socket()?.connect(shared.server).await?;
    server.set_nodelay(true)?;
    let (inflow, outflow) = server.into_split();
    Ok(Upstream {
        inflow: Inflow::of_socket(inflow),
        outflow: Outflow::Socket(outflow),
    })
}

/// Answers in the server's place, when the whole request has come.
async fn refuse(
    request: &mut Request,
    wire: &mut Wire,
    status: u16,
    answer: &[u8],
) -> io::Result<After> {
    let waits = request.head.expects_a_go_ahead();
    if !waits {
        while request.body.piece(&mut wire.inflow).await?.is_some() {}
    }
    request.entry.set_status(status);
    Pump::new(Manner::Freely, &request.entry.answer_bytes)
        .bytes(answer, &mut wire.outflow)
        .await?;
    // A client that waits for a go-ahead may send its body or not: a new connection is clear.
    let ends = waits || request.head.ends_the_connection();
    Ok(if ends { After::Close } else { After::Next })
}

/// A fault of the middle hits half of the body, or of the head where there is no body.
async fn send(request: &mut Request, from: &mut Inflow, to: &mut Outflow) -> io::Result<Passed> {
    let length = request.head.length();
    let half = match length {
        Length::Bytes(0) => request.head_bytes.len() as u64 / 2,
        Length::Bytes(bytes) => bytes / 2,
        Length::Chunked | Length::UntilClose => 1,
    };
    let manner = match request.entry.fault {
        Some(Fault::ResetInRequest) => Manner::CutAt(half),
        Some(Fault::StallInRequest(pause)) => Manner::StallAt(half, pause),
        Some(Fault::Drip(bytes_per_sec)) => Manner::Drip(bytes_per_sec),
        _ => Manner::Freely,
    };
    if length == Length::Bytes(0) {
        let uncounted = AtomicU64::new(0);
        let mut pump = Pump::new(manner, &uncounted);
        // Where the server is gone, reading its answer tells.
        return Ok(pump
            .bytes(&request.head_bytes, to)
            .await
            .unwrap_or(Passed::Whole));
    }
    to.write(&request.head_bytes).await.ok();
    Pump::new(manner, &request.entry.body_bytes)
        .body(&mut request.body, from, to, Broken::ReadOn)
        .await
}

/// The way of one answer.
struct Reply<'a> {
    from: &'a mut Inflow,
    to: &'a mut Outflow,
    entry: &'a Entry,
    method: String,
    shared: &'a Shared,
}

impl Reply<'_> {
    async fn pass(mut self) -> io::Result<Replied> {
        let (head_bytes, head) = loop {
            let head_bytes = match self.from.head().await {
                Ok(Some(head_bytes)) => head_bytes,
                Ok(None) => return Ok(Replied::Nothing),
                Err(problem) if problem.kind() == io::ErrorKind::ConnectionReset => {
                    return Ok(Replied::Nothing);
                }
                Err(problem) => return Err(problem),
            };
            let head = AnswerHead::parse(&head_bytes)?;
            if !head.is_interim() {
                break (head_bytes, head);
            }
            self.to.write(&head_bytes).await?;
        };
        self.entry.set_status(head.status);
        reach(self.shared, self.entry.step, Moment::Answered).await;
        let length = head.length(&self.method);
        let mut body = Body::new(length);
        match self.entry.fault {
            Some(Fault::LostAnswer) => {
                while body.piece(self.from).await?.is_some() {}
                self.entry.set_status(0);
                return Ok(Replied::After(After::Close));
            }
            Some(fault @ (Fault::WrongEtag | Fault::MissingEtag)) => {
                self.pass_with_etag(fault, &head_bytes, length).await?;
            }
            Some(Fault::RangeIgnored) => self.pass_whole(&head_bytes, length).await?,
            Some(fault @ (Fault::ResetInAnswer | Fault::CutAnswer)) => {
                self.pass_on(&head_bytes, length).await?;
                let is_reset = fault == Fault::ResetInAnswer;
                return Ok(Replied::After(if is_reset {
                    After::Reset
                } else {
                    After::Close
                }));
            }
            Some(Fault::StallBeforeAnswer(pause)) => {
                tokio::time::sleep(pause).await;
                self.pass_on(&head_bytes, length).await?;
            }
            _ => self.pass_on(&head_bytes, length).await?,
        }
        let ends = head.ends_the_connection() || length == Length::UntilClose;
        Ok(Replied::After(if ends {
            After::Close
        } else {
            After::Next
        }))
    }

    /// Head and body; a fault of the middle hits half of the body, or of the head where there is
    /// no body.
    async fn pass_on(&mut self, head: &[u8], length: Length) -> io::Result<()> {
        let head_bytes = head.len() as u64;
        let half = match length {
            Length::Bytes(0) => head_bytes / 2,
            Length::Bytes(bytes) => head_bytes + bytes / 2,
            Length::Chunked | Length::UntilClose => head_bytes + 1,
        };
        let manner = match self.entry.fault {
            Some(Fault::ResetInAnswer | Fault::CutAnswer) => Manner::CutAt(half),
            Some(Fault::StallInAnswer(pause)) => Manner::StallAt(half, pause),
            Some(Fault::Drip(bytes_per_sec)) => Manner::Drip(bytes_per_sec),
            _ => Manner::Freely,
        };
        let mut pump = Pump::new(manner, &self.entry.answer_bytes);
        if pump.bytes(head, self.to).await? == Passed::Whole {
            pump.body(&mut Body::new(length), self.from, self.to, Broken::Fail)
                .await?;
        }
        Ok(())
    }

    async fn pass_with_etag(
        &mut self,
        fault: Fault,
        head: &[u8],
        length: Length,
    ) -> io::Result<()> {
        let head = answer::head_with_etag(fault, head);
        if !matches!(self.entry.step, Step::Complete | Step::CopyPart) {
            return self.pass_on(&head, length).await;
        }
        let xml = Body::new(length).payload(self.from).await?;
        let xml = answer::xml_with_etag(fault, &xml);
        let head = answer::head_with_length(&head, xml.len());
        self.write(&[head, xml].concat()).await
    }

    async fn pass_whole(&mut self, head: &[u8], length: Length) -> io::Result<()> {
        let part = Body::new(length).payload(self.from).await?;
        if let Some(whole) = answer::whole_instead_of_part(head, &part)? {
            self.entry.set_status(200);
            return self.write(&whole).await;
        }
        let head = answer::head_with_length(head, part.len());
        self.write(&[head, part].concat()).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write(bytes).await?;
        let sent = bytes.len() as u64;
        self.entry.answer_bytes.fetch_add(sent, Ordering::Relaxed);
        Ok(())
    }
}
