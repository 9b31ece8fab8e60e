// @ts-check
// A short soft tone for a new message. Off until the visitor asks for it.
import { storage } from '../storage.js';

const kept = storage('visitor');
const LOUDNESS = 0.08;
const SECONDS = 0.35;

/** @type {AudioContext | null} */
let audio = null;

export function soundIsOn() {
  return kept.get('sound', false) === true;
}

/** @param {boolean} on */
export function setSound(on) {
  kept.set('sound', on);
  // Heard at once: a browser allows sound only after a gesture, and the visitor hears what to expect.
  if (on) chime();
}

export function chime() {
  if (!soundIsOn() || typeof AudioContext !== 'function') return;
  audio ??= new AudioContext();
  audio.resume().then(play, () => {});
}

function play() {
  if (!audio) return;
  const now = audio.currentTime;
  const volume = audio.createGain();
  volume.gain.setValueAtTime(0, now);
  volume.gain.linearRampToValueAtTime(LOUDNESS, now + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, now + SECONDS);
  volume.connect(audio.destination);
  const tone = audio.createOscillator();
  tone.frequency.setValueAtTime(660, now);
  tone.frequency.setValueAtTime(880, now + 0.09);
  tone.connect(volume);
  tone.start(now);
  tone.stop(now + SECONDS);
}
