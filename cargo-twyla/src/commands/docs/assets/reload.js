// Reloads the page when the server has updated it, and shows the error if it could not.
'use strict';
(async () => {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  let version = 0;
  let notice;
  const show = (problem) => {
    if (!problem) {
      notice?.remove();
      notice = undefined;
      return;
    }
    if (!notice) {
      notice = document.createElement('pre');
      notice.className = 'notice';
      notice.setAttribute('role', 'alert');
      document.body.prepend(notice);
    }
    notice.textContent = problem;
  };
  for (;;) {
    try {
      const answer = await fetch(`/_changes?since=${version}`);
      const made = await answer.json();
      if (version !== 0 && made.version !== version && !made.problem) {
        location.reload();
        return;
      }
      version = made.version;
      show(made.problem);
    } catch {
      // the server is gone, or starts again
      await pause(1000);
    }
  }
})();
