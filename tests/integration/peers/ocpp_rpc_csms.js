// A CSMS on the npm package ocpp-rpc in strict mode; runs in its own process and shares nothing with pilotwire.
// Prints a JSON line for everything that happens; {"action", "payload"} lines on stdin are sent to the station.
const readline = require("readline");
const { RPCServer } = require("ocpp-rpc");

const say = (kind, more) => console.log(JSON.stringify({ kind, ...more }));
const now = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");
const ACCEPTED = { status: "Accepted" };
let transactions = 0;

function answer(version, method, params) {
  const info = version === "ocpp1.6" ? "idTagInfo" : "idTokenInfo";
  switch (method) {
    case "BootNotification": return { currentTime: now(), interval: 60, ...ACCEPTED };
    case "Heartbeat": return { currentTime: now() };
    case "Authorize": return { [info]: ACCEPTED };
    case "StartTransaction": return { transactionId: ++transactions, idTagInfo: ACCEPTED };
    case "StopTransaction": return { idTagInfo: ACCEPTED };
    case "TransactionEvent": return params.idToken ? { idTokenInfo: ACCEPTED } : {};
    case "GetCertificateStatus": return { ocspResult: "MAo=", ...ACCEPTED };
    case "Get15118EVCertificate": return { exiResponse: "gJhAAA==", ...ACCEPTED };
    case "DataTransfer":
    case "SignCertificate":
    case "NotifyEVChargingNeeds":
    case "NotifyEVChargingSchedule": return ACCEPTED;
    default: return {};
  }
}

const server = new RPCServer({ protocols: process.argv.slice(2), strictMode: true });
let current = null;
server.on("client", (client) => {
  current = client;
  say("connected", { version: client.protocol });
  client.on("strictValidationFailure", ({ messageId, method, params, error }) =>
    say("invalid", { messageId, action: method, payload: params, error: `${error}: ${JSON.stringify(error.details)}` }));
  client.on("badMessage", ({ error }) => say("invalid", { action: "?", payload: {}, error: String(error) }));
  client.handle(({ method, params }) => {
    say("call", { action: method, payload: params });
    return answer(client.protocol, method, params);
  });
  client.on("close", () => say("gone", {}));
});
server.listen(0, "127.0.0.1").then((http) => say("listening", { port: http.address().port }));

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { action, payload } = JSON.parse(line);
  current.call(action, payload)
    .then((result) => say("answer", { action, payload: result }))
    .catch((error) => say("error", { id: action, code: error.rpcErrorCode || String(error), description: error.message }));
});
