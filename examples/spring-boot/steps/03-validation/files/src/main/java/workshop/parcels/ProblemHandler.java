package workshop.parcels;

import java.util.Map;
import java.util.TreeMap;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ResponseEntity;
import org.springframework.validation.FieldError;
import org.springframework.web.bind.MethodArgumentNotValidException;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;

/** Answers errors as problem details (RFC 9457) and names each field that was refused. */
@RestControllerAdvice
public class ProblemHandler extends ResponseEntityExceptionHandler {

    @Override
    protected ResponseEntity<Object> handleMethodArgumentNotValid(
            MethodArgumentNotValidException exception,
            HttpHeaders headers,
            HttpStatusCode status,
            WebRequest request) {
        Map<String, String> fields = new TreeMap<>();
        for (FieldError error : exception.getFieldErrors()) {
            fields.merge(error.getField(), String.valueOf(error.getDefaultMessage()), (first, second) -> first + "; " + second);
        }
        exception.getBody().setProperty("fields", fields);
        return super.handleMethodArgumentNotValid(exception, headers, status, request);
    }
}
