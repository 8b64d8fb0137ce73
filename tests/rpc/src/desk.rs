//! The service `desk`. Each test scripts its handlers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use twyla_runtime::rpc::CallMeta;
use twyla_runtime::{Bus, Rpcs, State, rpc, rpcs as collect};

use crate::contracts::Context;
use crate::contracts::rpc::desk::{ListRequest, ListResponse, LookRequest, PutResponse};
use crate::contracts::shared::Note;

/// Any error of a handler.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

type Answering = Pin<Box<dyn Future<Output = Result<Note, Failure>> + Send>>;

/// A call of `desk.look`, or of another RPC with its request.
#[derive(Clone, Debug)]
pub struct Call {
    pub id: u64,
    pub text: String,
    pub context: Option<Context>,
    pub meta: CallMeta,
    pub bus: Bus,
}

/// The script of the handlers.
#[derive(Clone)]
pub struct Script(Arc<dyn Fn(Call) -> Answering + Send + Sync>);

impl Script {
    pub fn new<F: Future<Output = Result<Note, Failure>> + Send + 'static>(
        script: impl Fn(Call) -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |call| Box::pin(script(call))))
    }

    /// The result of a handler.
    pub async fn answer(&self, call: Call) -> Result<Note, Failure> {
        (self.0)(call).await
    }

    /// A script that answers with the requested id.
    pub fn echo() -> Self {
        Self::new(|call| async move { Ok(Note::new(call.id, call.text)) })
    }
}

/// All handlers of the service.
pub fn rpcs() -> Rpcs {
    collect![look, put, list]
}

#[rpc("desk.look")]
async fn look(
    request: LookRequest,
    context: Context,
    meta: CallMeta,
    State(script): State<Script>,
    bus: Bus,
) -> Result<Note, Failure> {
    let text = request.tag.unwrap_or_else(|| "looked".to_owned());
    script.answer(Call { id: request.id, text, context: Some(context), meta, bus }).await
}

/// Takes no context, so that it can be called without one.
#[rpc("desk.put", concurrency = 2, deadline = "5s")]
async fn put(note: Note, meta: CallMeta, script: State<Script>, bus: Bus) -> Result<PutResponse, Failure> {
    let note = script.0.answer(Call { id: note.id, text: note.text, context: None, meta, bus }).await?;
    Ok(PutResponse::new(note.id))
}

#[rpc("desk.list", idempotent)]
async fn list(request: ListRequest, meta: CallMeta, script: State<Script>, bus: Bus) -> Result<ListResponse, Failure> {
    let first = request.first.unwrap_or_default();
    let note = script.0.answer(Call { id: first, text: "listed".to_owned(), context: None, meta, bus }).await?;
    Ok(ListResponse(vec![note; usize::try_from(first).unwrap_or_default()]))
}
