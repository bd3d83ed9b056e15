import { TouchstoneError } from "../../errors.ts";

/** The bytes are not a ModelProto that can be read. */
export class OnnxFormatError extends TouchstoneError {
  readonly code = "ONNX_FORMAT";

  constructor(where: string, problem: string, options: { cause?: unknown } = {}) {
    super(`ONNX file: ${where}: ${problem}.`, {
      ...options,
      remedy: "Export the model again, with its weights inside the file.",
    });
  }
}
