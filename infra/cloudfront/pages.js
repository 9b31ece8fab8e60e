// Viewer requests to the pages: each page has one address, as the gateway serves them.
function handler(event) {
  var request = event.request;
  if (request.uri === '/') {
    request.uri = '/index.html';
  } else if (request.uri === '/admin') {
    request.uri = '/admin.html';
  } else if (request.uri.endsWith('.html')) {
    return { statusCode: 404, statusDescription: 'Not Found' };
  }
  return request;
}
