package workshop.parcels;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Starts the service and everything that Spring Boot finds in this package. */
@SpringBootApplication
public class ParcelsApplication {

    public static void main(String[] arguments) {
        SpringApplication.run(ParcelsApplication.class, arguments);
    }
}
