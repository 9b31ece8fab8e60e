// A classic script, loaded before the first paint, so that the page never flashes in the wrong colours.
(function () {
  try {
    var theme = JSON.parse(localStorage.getItem('parley.ui.theme') || 'null');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Without storage the system's choice holds.
  }
})();
