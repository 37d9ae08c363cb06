import { capture } from "./capture.js";
import { CaptionsError } from "./error.js";

const INSECURE = "The browser gives a microphone only to pages from https or localhost. Open this page over https to speak.";

/** @type {Record<string, string>} by the browser's name of the error */
const REASONS = {
  NotAllowedError: "The microphone was refused. Allow it for this page (the icon beside the address), then start again.",
  NotFoundError: "There is no microphone. Connect one, then start again.",
  NotReadableError: "The microphone is in use by another program, or does not answer.",
  OverconstrainedError: "The chosen microphone is gone. Choose another one.",
};

/** @param {string} message */
const problem = (message) => new CaptionsError("microphone", message);

/**
 * The microphones there are. They have names once the page was given one. Throws a CaptionsError where a page like this
 * one gets none.
 */
export async function microphones() {
  if (!isSecureContext || !navigator.mediaDevices) throw problem(INSECURE);
  return (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "audioinput");
}

/**
 * The person's own microphone, which is given back when it is closed. Throws a CaptionsError.
 *
 * @param {string | null | undefined} deviceId none: the system's default
 * @param {import("./capture.js").Heard} heard
 */
export async function openMicrophone(deviceId, heard) {
  if (!isSecureContext || !navigator.mediaDevices) throw problem(INSECURE);
  let stream;
  try {
    const device = deviceId ? { deviceId: { exact: deviceId } } : {};
    stream = await navigator.mediaDevices.getUserMedia({ audio: { ...device, channelCount: 1, echoCancellation: true, noiseSuppression: true } });
  } catch (error) {
    throw problem(REASONS[error.name] || `The microphone cannot be used: ${error.message}`);
  }
  const [track] = stream.getTracks();
  try {
    const captured = await capture(stream, heard);
    return {
      ...captured,
      /** @param {boolean} muted */
      mute(muted) { track.enabled = !muted; }, // the browser shows that nobody listens
      async close() {
        track.stop();
        await captured.close();
      },
    };
  } catch (error) {
    track.stop();
    throw error;
  }
}
