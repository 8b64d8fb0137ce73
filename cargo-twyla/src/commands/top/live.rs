//! The page on a terminal: shown anew at each reading and when the terminal's size changes, until somebody ends it.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use console::{Key, Term};
#[cfg(unix)]
use nix::sys::termios::{self, SetArg, Termios};

use crate::support::paint::{FAINT, paint};

/// How soon a change of the terminal's size is seen.
const LOOK: Duration = Duration::from_millis(200);

/// Whether a page can be shown again and again on the standard output.
pub(super) fn is_possible() -> bool {
    io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Shows what `page` gives, now and after each interval, until q, Escape, ctrl-C or a signal.
pub(super) fn show(first: String, interval: Duration, mut page: impl FnMut() -> String) -> io::Result<()> {
    let screen = Screen::enter()?;
    let keys = keys()?;
    let mut shown = first;
    loop {
        let mut size = screen.draw(&shown)?;
        let next = Instant::now() + interval;
        while let Some(left) = next.checked_duration_since(Instant::now()) {
            match keys.recv_timeout(left.min(LOOK)) {
                Ok(Key::Char('q' | 'Q') | Key::Escape | Key::CtrlC) => return Ok(()),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) if screen.term.size() == size => {}
                Err(RecvTimeoutError::Timeout) => size = screen.draw(&shown)?,
                // neither a key nor a signal can come
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(left.min(LOOK)),
            }
        }
        shown = page();
    }
}

/// The keys that are typed, where the standard input is a terminal; a signal that ends a program is like ctrl-C.
fn keys() -> io::Result<Receiver<Key>> {
    let (sender, keys) = mpsc::channel();
    signals(sender.clone())?;
    if io::stdin().is_terminal() {
        std::thread::spawn(move || {
            let term = Term::stdout();
            // each key is read with the terminal as it was in between: so it is as it was when this ends by a key
            while let Ok(key) = term.read_key_raw() {
                let ends = matches!(key, Key::Char('q' | 'Q') | Key::Escape | Key::CtrlC);
                if sender.send(key).is_err() || ends {
                    break;
                }
            }
        });
    }
    Ok(keys)
}

/// Sends ctrl-C for the first signal that would end this program, and leave the terminal as it is.
#[cfg(unix)]
fn signals(sender: Sender<Key>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let within = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    drop(within);
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        });
        // nobody who listens any more has ended already
        let _ = sender.send(Key::CtrlC);
    });
    Ok(())
}

#[cfg(not(unix))]
fn signals(_: Sender<Key>) -> io::Result<()> {
    Ok(())
}

/// The terminal's other screen; the one before is back when this is dropped, and the keyboard too, which may just be read.
struct Screen {
    term: Term,
    #[cfg(unix)]
    keyboard: Option<Termios>,
}

impl Screen {
    fn enter() -> io::Result<Self> {
        control("\x1b[?1049h\x1b[?25l")?;
        Ok(Self {
            term: Term::stdout(),
            // there is none where the standard input is no terminal
            #[cfg(unix)]
            keyboard: termios::tcgetattr(io::stdin()).ok(),
        })
    }

    /// Shows as much of a page as there is room for; gives the size that this was.
    fn draw(&self, page: &str) -> io::Result<(u16, u16)> {
        let size = self.term.size();
        let (rows, columns) = (usize::from(size.0), usize::from(size.1));
        let end = paint(FAINT, "q ends it").to_string();
        let lines: Vec<&str> = page.lines().collect();
        let room = rows.saturating_sub(2);
        let more = lines.len().saturating_sub(room);
        let end = if more > 0 { format!("{end}{}", paint(FAINT, format!(", {more} lines more"))) } else { end };
        // from the top, each line over the one before it, and nothing behind the last: so nothing flickers
        control("\x1b[H")?;
        for line in lines.into_iter().take(room).chain([""; 1]) {
            write!(crate::support::paint::stdout(), "{}", console::truncate_str(line, columns, "…"))?;
            control("\x1b[K\r\n")?;
        }
        write!(crate::support::paint::stdout(), "{}", console::truncate_str(&end, columns, "…"))?;
        control("\x1b[K\x1b[J")?;
        Ok(size)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = control("\x1b[?25h\x1b[?1049l");
        #[cfg(unix)]
        if let Some(keyboard) = &self.keyboard {
            let _ = termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, keyboard);
        }
    }
}

/// Writes what moves the cursor, also where colours are left out.
fn control(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
