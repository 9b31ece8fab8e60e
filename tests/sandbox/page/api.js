// @ts-check
// What the page asks of the sandbox.

const AGAIN_MS = 1_000;

/** @param {(view: any) => void} onView @param {(there: boolean) => void} onState */
export async function watch(onView, onState) {
  let version = '';
  for (;;) {
    try {
      const answer = await fetch(`/api/state?${version}`);
      if (!answer.ok) throw new Error(String(answer.status));
      onState(true);
      if (answer.status === 200) {
        const told = await answer.json();
        version = told.version;
        onView(told.view);
      }
    } catch {
      onState(false);
      await new Promise((done) => { setTimeout(done, AGAIN_MS); });
    }
  }
}

/** Does something; answers a sentence when it could not be done. @param {Record<string, unknown>} what */
export async function act(what) {
  return outcome(fetch('/api/act', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(what),
  }));
}

/** Sends a file. @param {Record<string, unknown>} what @param {File} file */
export async function send(what, file) {
  const kind = kindOf(file);
  const told = { ...what, kind, name: file.name, mime: file.type };
  return outcome(fetch(`/api/send?${encodeURIComponent(JSON.stringify(told))}`, { method: 'POST', body: file }));
}

function kindOf(file) {
  if (/^image\/(png|jpeg|webp)$/.test(file.type)) return 'photo';
  if (/ogg|opus/.test(file.type)) return 'voice';
  if (file.type.startsWith('audio/')) return 'audio';
  return file.type.startsWith('video/') ? 'video' : 'document';
}

async function outcome(asking) {
  try {
    const answer = await asking;
    if (answer.ok) return null;
    return answer.status === 413 ? 'The file is too large even for this sandbox.' : await answer.text();
  } catch {
    return 'The sandbox does not answer.';
  }
}
