/**
 * Types of the server's messages: docs/protocol.md.
 *
 * @typedef {object} Word
 * @property {string} text
 * @property {number} start seconds since the track's first sample
 * @property {number} end
 * @property {number} confidence 0 to 1
 * @property {string} [corrected_from] what was heard, if a term of the vocabulary replaced it
 *
 * @typedef {object} CaptionMessage
 * @property {"caption"} type
 * @property {string} room
 * @property {string} track
 * @property {string | null} [speaker]
 * @property {number} utterance
 * @property {"live" | "refined" | "edited"} pass
 * @property {number} revision
 * @property {boolean} final
 * @property {string} language
 * @property {number} start seconds since the track's first sample
 * @property {number} end
 * @property {string} started_at `start` in UTC
 * @property {string} text empty if a final withdraws its partials, which were noise
 * @property {number} stable number of words at the start that do not change before the final
 * @property {Word[]} [words]
 * @property {number} [seq] of finals
 * @property {string} [model] of finals: the model that decoded it and the revision of its weights, `tiny.en@1a5afae06a4d`
 *
 * @typedef {CaptionMessage & {key: string}} Caption replaces the earlier caption with the same `key`
 *
 * @typedef {object} Track
 * @property {"track"} type
 * @property {number} seq
 * @property {string} track
 * @property {string | null} [speaker]
 * @property {"live" | "away" | "ended"} state
 *
 * @typedef {{type: "live"}} Live
 * @typedef {{type: "gap", from: number, to: number}} Gap
 * @typedef {{type: "deleted", room: string, deleted_at: string, seq?: number}} Deleted
 *
 * @typedef {{type: "ready", session: string, room: string, track: string, offset: number, resumable: boolean}} Ready
 * @typedef {{type: "ack", offset: number}} Ack
 * @typedef {{code: string, message: string}} Fault
 * @typedef {{type: "warning"} & Fault} Warning
 * @typedef {{type: "done", offset: number, seconds: number, warnings?: Fault[]}} Done
 * @typedef {{type: "error", code: string, message: string, retry_after?: number}} Refusal
 *
 * @typedef {object} Room
 * @property {string} room
 * @property {number} viewers
 * @property {{track: string, speaker: string | null}[]} tracks
 */
export {};
