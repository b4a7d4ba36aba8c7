//! `Runner`: starts jobs on tokio and hands back their news; the only owner of the runtime's handle,
//! of promises and of cancel tokens.

use crate::engine::{Context, EngineError};
use crate::gui::job::{JobError, JobId, JobUpdate, News, Outcome};
use crate::model::{Progress, Reporter};
use poll_promise::Promise;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

/// Progress wakes the window at most ten times a second.
const SHOW_PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// A job that was cancelled and does not end by itself is dropped after this: longer than the engine
/// takes to clean up at a destination that does not answer.
const CANCEL_PATIENCE: Duration = Duration::from_secs(20);

/// Where jobs run: a multi-threaded runtime that outlives the window.
#[derive(Debug, Clone)]
pub struct JobRuntime(Handle);

impl From<Handle> for JobRuntime {
    fn from(handle: Handle) -> Self {
        Self(handle)
    }
}

/// Starts jobs and hands back their news.
pub(crate) struct Runner {
    runtime: Handle,
    egui: egui::Context,
    data_dir: PathBuf,
    tasks: Vec<Task>,
    last_id: u64,
}

type Ended = Result<Outcome, JobError>;

struct Task {
    id: JobId,
    cancel: CancellationToken,
    progress: watch::Receiver<Progress>,
    promise: Promise<Ended>,
    supervisor: JoinHandle<()>,
}

impl Runner {
    /// `egui` is woken when there is news; the engine remembers things in `data_dir`.
    pub(crate) fn new(runtime: JobRuntime, egui: egui::Context, data_dir: PathBuf) -> Self {
        Self {
            runtime: runtime.0,
            egui,
            data_dir,
            tasks: Vec::new(),
            last_id: 0,
        }
    }

    /// Starts `work`; its news comes out of [`Self::poll`].
    pub(crate) fn start<Work>(&mut self, work: impl FnOnce(Context) -> Work) -> JobId
    where
        Work: Future<Output = Ended> + Send + 'static,
    {
        self.last_id += 1;
        let id = JobId(self.last_id);
        let cancel = CancellationToken::new();
        let (progress_sender, progress) = watch::channel(Progress::default());
        let egui = self.egui.clone();
        let reporter = Reporter::new(move |progress| {
            progress_sender.send_replace(progress);
            egui.request_repaint_after(SHOW_PROGRESS_EVERY);
        });
        let context = Context::new(reporter, cancel.clone(), &self.data_dir);
        let work = self.runtime.spawn(work(context));
        let (sender, promise) = Promise::new();
        let egui = self.egui.clone();
        let asked_to_stop = cancel.clone();
        let supervisor = self.runtime.spawn(async move {
            // The promise is fulfilled whatever happens, and before the window is woken: the
            // window would panic on a broken promise and sleep through one kept too late.
            sender.send(supervise(work, asked_to_stop).await);
            egui.request_repaint();
        });
        self.tasks.push(Task {
            id,
            cancel,
            progress,
            promise,
            supervisor,
        });
        id
    }

    /// What is new since the last call. Each piece of news comes out once.
    pub(crate) fn poll(&mut self) -> Vec<JobUpdate> {
        let mut updates = Vec::new();
        let mut waiting = Vec::with_capacity(self.tasks.len());
        for mut task in self.tasks.drain(..) {
            // `try_take` panics on a promise that can no longer be kept, `ready_mut` does not.
            let ended = task.promise.ready_mut().is_some();
            if !ended && task.progress.has_changed().unwrap_or(false) {
                let progress = task.progress.borrow_and_update().clone();
                updates.push(JobUpdate {
                    id: task.id,
                    news: News::Progress(progress),
                });
            }
            if !ended {
                waiting.push(task);
            } else if let Ok(result) = task.promise.try_take() {
                updates.push(JobUpdate {
                    id: task.id,
                    news: News::Ended(result),
                });
            }
        }
        self.tasks = waiting;
        updates
    }

    /// Asks a job to stop; it still ends with news.
    pub(crate) fn cancel(&self, id: JobId) {
        for task in self.tasks.iter().filter(|task| task.id == id) {
            task.cancel.cancel();
        }
    }

    /// Asks these jobs to stop and waits until all have ended, those not asked too; not for ever.
    ///
    /// Call it when the window is gone: it blocks.
    pub(crate) fn finish(&mut self, stop: &[JobId]) {
        for id in stop {
            self.cancel(*id);
        }
        let tasks = std::mem::take(&mut self.tasks);
        let all_ended = async {
            for task in tasks {
                // A supervisor that panicked has nothing more to wait for.
                task.supervisor.await.ok();
            }
        };
        let in_time = self
            .runtime
            .block_on(async { tokio::time::timeout(CANCEL_PATIENCE, all_ended).await });
        if in_time.is_err() {
            tracing::warn!("jobs still ran when the window closed");
        }
    }
}

async fn supervise(mut work: JoinHandle<Ended>, cancel: CancellationToken) -> Ended {
    let patience = async {
        cancel.cancelled().await;
        tokio::time::sleep(CANCEL_PATIENCE).await;
    };
    let joined = tokio::select! {
        joined = &mut work => joined,
        () = patience => {
            work.abort();
            work.await
        }
    };
    joined.unwrap_or_else(|join| Err(of_join(join).into()))
}

fn of_join(join: JoinError) -> EngineError {
    if join.is_cancelled() {
        return EngineError::Cancelled;
    }
    let panic = join.into_panic();
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    EngineError::Crashed(text.unwrap_or("unknown").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Phase;
    use std::time::Instant;

    fn runner(runtime: &tokio::runtime::Runtime) -> Runner {
        let egui = egui::Context::default();
        Runner::new(
            runtime.handle().clone().into(),
            egui,
            PathBuf::from("/nowhere"),
        )
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Runtime::new().expect("a runtime")
    }

    #[expect(clippy::disallowed_methods, reason = "jobs run in real time")]
    fn wait(runner: &mut Runner) -> Vec<JobUpdate> {
        let began = Instant::now();
        let mut all = Vec::new();
        while began.elapsed() < Duration::from_secs(5) {
            all.extend(runner.poll());
            if let Some(JobUpdate {
                news: News::Ended(_),
                ..
            }) = all.last()
            {
                return all;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the job did not end");
    }

    #[test]
    fn a_job_tells_progress_and_its_end_once() {
        let runtime = runtime();
        let mut runner = runner(&runtime);
        let id = runner.start(|context| async move {
            context.report(Progress {
                phase: Phase::Deleting,
                ..Progress::default()
            });
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(Outcome::Saved(Vec::new()))
        });
        let news = wait(&mut runner);
        assert!(news.iter().all(|update| update.id == id));
        assert!(matches!(&news[0].news, News::Progress(p) if p.phase == Phase::Deleting));
        assert!(matches!(
            news.last().map(|update| &update.news),
            Some(News::Ended(Ok(Outcome::Saved(_))))
        ));
        assert!(runner.poll().is_empty());
    }

    #[test]
    fn a_panic_is_an_error_and_not_a_crash_of_the_window() {
        let runtime = runtime();
        let mut runner = runner(&runtime);
        runner.start(|_| async { panic!("a bug") });
        let news = wait(&mut runner);
        assert!(matches!(
            &news.last().expect("news").news,
            News::Ended(Err(JobError::Engine(EngineError::Crashed(text)))) if text == "a bug"
        ));
    }

    #[test]
    fn a_cancelled_job_ends_as_such_and_finishing_waits_for_it() {
        let runtime = runtime();
        let mut runner = runner(&runtime);
        let id = runner.start(|context| async move {
            context.cancelled().await;
            Err(EngineError::Cancelled.into())
        });
        runner.cancel(id);
        let news = wait(&mut runner);
        assert!(matches!(&news[0].news, News::Ended(Err(error)) if error.is_cancelled()));

        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let second = runner.start(|context| async move {
            context.cancelled().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
            sender.send(()).expect("somebody listens");
            Err(EngineError::Cancelled.into())
        });
        runner.finish(&[second]);
        assert!(receiver.try_recv().is_ok(), "it was waited for");
    }

    #[test]
    fn a_runtime_that_is_gone_breaks_nothing() {
        let runtime = runtime();
        let mut runner = runner(&runtime);
        runner.start(|_| std::future::pending());
        runtime.shutdown_timeout(Duration::ZERO);
        assert!(runner.poll().is_empty());
    }
}
