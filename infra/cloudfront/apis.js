// Viewer requests to the APIs: tells who is calling, and leads both socket addresses to the one WebSocket API.
// infra/cloudfront/*.js stand in template.yaml as well; a test holds them equal.
function handler(event) {
  var request = event.request;
  // Overwrites whatever a client wrote there itself; the functions believe it of CloudFront alone.
  request.headers['x-viewer-address'] = { value: event.viewer.ip };
  delete request.headers['x-origin-secret'];
  var socket = { '/ws/client': 'client', '/ws/admin': 'admin' }[request.uri];
  if (socket) {
    // A WebSocket API knows no path but its stage's, which the origin adds.
    request.uri = '/';
    var query = { socket: { value: socket } };
    if (request.querystring.ticket) {
      query.ticket = request.querystring.ticket;
    }
    request.querystring = query;
  }
  return request;
}
