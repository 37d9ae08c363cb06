import { CaptionsError } from "./error.js";

/**
 * Called for every 40 ms of audio (PCM16, mono) with its level (root mean square, 0 to 1).
 *
 * @callback OnSamples
 * @param {ArrayBuffer} samples
 * @param {number} level
 *
 * @typedef {object} Source
 * @property {number} sampleRate
 * @property {Promise<void>} lost resolves when the source ends by itself
 * @property {(muted: boolean) => void} mute
 * @property {() => Promise<void>} close
 */

/**
 * Captures the audio of a stream, at 16 kHz if the browser can resample it. Otherwise the server resamples. The stream is
 * not stopped. Throws a CaptionsError.
 *
 * @param {MediaStream} stream
 * @param {OnSamples} onSamples
 * @returns {Promise<Source>}
 */
export async function capture(stream, onSamples) {
  const [track] = stream.getAudioTracks();
  if (!track) throw new CaptionsError("microphone", "This stream has no audio.");
  const lost = /** @type {Promise<void>} */ (new Promise((resolve) => { track.addEventListener("ended", () => resolve()); }));
  /** @type {AudioContext | undefined} */
  let context;
  try {
    const { context: created, source } = await resampled(stream);
    context = created;
    await context.audioWorklet.addModule(new URL("capture-worklet.js", import.meta.url));
    await context.resume();
    const fold = Math.ceil(context.sampleRate / 48000); // the server accepts at most 48 kHz
    const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, processorOptions: { fold } });
    node.port.onmessage = ({ data }) => onSamples(data.samples, data.level);
    source.connect(node);
    return {
      sampleRate: Math.round(context.sampleRate / fold),
      lost,
      mute() {},
      async close() {
        node.port.onmessage = null;
        if (created.state !== "closed") await created.close();
      },
    };
  } catch (error) {
    await context?.close();
    throw new CaptionsError("microphone", `This browser cannot capture the microphone: ${error.message}`);
  }
}

/** @param {MediaStream} stream */
async function resampled(stream) {
  let context = new AudioContext({ sampleRate: 16000 });
  try {
    return { context, source: context.createMediaStreamSource(stream) };
  } catch {
    await context.close(); // this browser cannot resample a microphone
    context = new AudioContext();
    return { context, source: context.createMediaStreamSource(stream) };
  }
}
