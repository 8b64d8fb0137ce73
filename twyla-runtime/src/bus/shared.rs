//! The state that all clones of a bus share.

use std::sync::Arc;
use std::time::Duration;

use crate::progress::Progress;
use crate::telemetry::metrics::EmitMetricsByEvent;
use crate::transport::Transport;

pub(crate) struct BusShared {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) app_id: Arc<str>,
    pub(crate) emit_deadline: Duration,
    pub(crate) max_event: usize,
    pub(crate) emits: EmitMetricsByEvent,
    pub(crate) progress: Progress,
}
