/** Room `endpoint`: where to dial. */
export { type Endpoint, endpointId } from "./endpoint.ts";
export { type Candidate, EndpointSet, type EndpointSetOptions, type Origin } from "./set.ts";
