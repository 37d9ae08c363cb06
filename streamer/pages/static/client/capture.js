import { CaptionsError } from "./error.js";

/**
 * Called with every 40 ms of sound (PCM16, mono) and its level (root mean square, 0 to 1).
 *
 * @callback Heard
 * @param {ArrayBuffer} samples
 * @param {number} level
 *
 * @typedef {object} Source
 * @property {number} sampleRate
 * @property {Promise<void>} lost the sound has ended, and nobody asked for it
 * @property {(muted: boolean) => void} mute
 * @property {() => Promise<void>} close
 */

/**
 * The sound of a stream. At 16 kHz where the browser resamples; else at the rate it has, the server resamples. The stream
 * is not stopped. Throws a CaptionsError.
 *
 * @param {MediaStream} stream
 * @param {Heard} heard
 * @returns {Promise<Source>}
 */
export async function capture(stream, heard) {
  const [track] = stream.getAudioTracks();
  if (!track) throw new CaptionsError("microphone", "There is no sound in this stream.");
  const lost = /** @type {Promise<void>} */ (new Promise((gone) => { track.addEventListener("ended", () => gone()); }));
  /** @type {AudioContext | undefined} */
  let context;
  try {
    const { context: made, source } = await resampled(stream);
    context = made;
    await context.audioWorklet.addModule(new URL("capture-worklet.js", import.meta.url));
    await context.resume();
    const fold = Math.ceil(context.sampleRate / 48000); // the server takes 48 kHz at most
    const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, processorOptions: { fold } });
    node.port.onmessage = ({ data }) => heard(data.samples, data.level);
    source.connect(node);
    return {
      sampleRate: Math.round(context.sampleRate / fold),
      lost,
      mute() {},
      async close() {
        node.port.onmessage = null;
        if (made.state !== "closed") await made.close();
      },
    };
  } catch (error) {
    await context?.close();
    throw new CaptionsError("microphone", `The microphone cannot be heard in this browser: ${error.message}`);
  }
}

/** @param {MediaStream} stream */
async function resampled(stream) {
  let context = new AudioContext({ sampleRate: 16000 });
  try {
    return { context, source: context.createMediaStreamSource(stream) };
  } catch {
    await context.close(); // this browser does not resample microphones
    context = new AudioContext();
    return { context, source: context.createMediaStreamSource(stream) };
  }
}
